"""One machine, no servers: the supervisor, and (as a Django app) the demo data, inbox and bank."""
