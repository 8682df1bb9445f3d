"""Single sign-on: people come in with the account of their own organisation. allauth speaks the protocols; who may come
in, as whom, and what is written about them is decided here."""
