"""The service as a process: how it is put together, run, looked after."""
