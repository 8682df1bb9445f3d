"""What allauth is told: e-mail is the login, our own views, throttles and outbox do the rest."""

AUTHENTICATION_BACKENDS = ["accounts.sign_in.PasswordBackend"]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
# Identity providers are rows of ours. Who comes in as whom is decided in accounts/sso, and by nothing of allauth's.
SOCIALACCOUNT_ADAPTER = "accounts.sso.adapter.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
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

# What one person may keep under `Upload Documents`, and send at one time (see MOST_REQUEST_BYTES_BY_PATH).
DOCUMENTS_PER_PERSON = 60
DOCUMENT_BYTES_PER_PERSON = 200 * 1024 * 1024
DOCUMENTS_PER_UPLOAD = 6

# accounts/acting is the only door: hijack's own addresses are not there, and its own bar has script in the page.
HIJACK_PERMISSION_CHECK = "accounts.acting.nobody"
HIJACK_INSERT_BEFORE = None
