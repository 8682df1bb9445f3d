"""What allauth is told: e-mail is the login, our own views, throttles and outbox do the rest."""

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = "strict"
# The address is proved by our own links (accounts/links.py), which also set the password.
ACCOUNT_EMAIL_VERIFICATION = "none"
# accounts/throttles.py counts in atomic steps, which allauth's limits do not.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_SESSION_REMEMBER = True
# Reached with an incomplete profile, too: a checkout already begun, and the office.
PROFILE_GATE_OPEN_PATHS = ("/payments/", "/admin/", "/demo/", "/static/", "/media/")

# accounts/acting is the only door: hijack's own addresses are not there, and its own bar has script in the page.
HIJACK_PERMISSION_CHECK = "accounts.acting.nobody"
HIJACK_INSERT_BEFORE = None
