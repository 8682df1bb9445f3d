"""The sessions of a person: where they are signed in, and ending that. The rows are allauth's (`allauth.usersessions`)."""
