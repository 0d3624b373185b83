"""Who signs: signers, the files that keep private keys, and where their passphrases come from."""
