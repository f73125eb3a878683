"""The admin app: for people who run or audit the gateway. On its own port."""
