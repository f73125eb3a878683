"""The door for clients: HTTP comes in, an exchange goes on."""
