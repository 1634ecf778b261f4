"""Cards and wallets of phones through Stripe, by its official library. No card data ever touches us."""
