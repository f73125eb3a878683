"""False hits that somebody has marked: whose they are, and what is kept of them."""
