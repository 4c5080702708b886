"""What lies between this machine and the others: proxies, and who can fetch from where."""
