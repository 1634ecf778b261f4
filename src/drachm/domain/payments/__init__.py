"""How does money come in and go out over a rail?"""
