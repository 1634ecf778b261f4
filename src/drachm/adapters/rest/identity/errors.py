"""What is said when we do not know who is calling?

An unknown caller gets 401 and one of the codes below; what a known caller may not do is a `Deny` of `decide.py`.
The words never tell whether a key, a client or a receipt exists: they name what is wrong with what was sent.
"""

from __future__ import annotations

from drachm.domain.errors import DrachmError, InvalidMessage


class Unauthenticated(DrachmError):
    """The credential that came with the call does not prove anything (HTTP 401). `code` is a key of `REASONS`."""

    code = "unauthenticated"
    default_next_step = "Send a valid API key or access token in the Authorization header."

    def __init__(self, code: str, *, next_step: str = "") -> None:
        message, default = REASONS[code]
        super().__init__(message, where="Authorization", next_step=next_step or default, code=code)


class TokenRefused(InvalidMessage):
    """The token endpoint says no in the words of RFC 6749 section 5.2: `code` is the `error` of its answer."""

    def __init__(self, code: str, message: str, *, next_step: str = "") -> None:
        super().__init__(message, where="token request", next_step=next_step, code=code)

    @property
    def status(self) -> int:
        """HTTP status: 401 when the client is not known, else 400 (RFC 6749 section 5.2)."""
        return 401 if self.code == "invalid_client" else 400


REASONS: dict[str, tuple[str, str]] = {
    "unauthenticated": ("no credential was sent", Unauthenticated.default_next_step),
    "credential_malformed": (
        "this is neither an API key nor an access token",
        "Send `Authorization: Bearer` followed by an API key or an access token, and nothing else.",
    ),
    "api_key_malformed": (
        "the API key is not complete or was mistyped: its check characters disagree",
        "Copy the whole key again; it begins with drk_ and has no spaces.",
    ),
    "api_key_unknown": ("this API key is not known", "Ask your operator for a new key."),
    "api_key_expired": ("this API key has expired", "Rotate keys before they expire; ask your operator for a new one."),
    "api_key_revoked": ("this API key was revoked", "Ask your operator for a new key."),
    "wrong_environment": (
        "a sandbox credential was sent to a live service, or the other way round",
        "Use a drk_live_ key for the live service and a drk_sandbox_ key for the sandbox.",
    ),
    "token_malformed": ("the access token cannot be read", "Send the access token as its provider issued it."),
    "token_untrusted": (
        "the access token is not one that this service trusts",
        "Ask for a token from a provider that your operator has connected, for this service as its audience.",
    ),
    "token_expired": ("the access token has expired", "Ask the provider for a new token."),
    "token_not_yet_valid": (
        "the access token is not valid yet",
        "Check the clocks of your machine and of the provider.",
    ),
    "token_revoked": ("the client of this access token was disabled or changed", "Ask for a new token."),
    "link_invalid": ("this link is not complete or was changed", "Open the link exactly as it was sent to you."),
    "link_expired": ("this link has expired", "Ask the clinic for a new link."),
    "link_revoked": ("this link was withdrawn", "Ask the clinic for a new link."),
    "passkey_invalid": ("this passkey does not open the desk", "Sign in with your clinic's account."),
    "second_factor_wrong": ("this answer does not open the details", "Check the answer and try again."),
    "second_factor_locked": (
        "too many wrong answers for this link",
        "Wait before the next try, or ask the clinic for a new link.",
    ),
}
