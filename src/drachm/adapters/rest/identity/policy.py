"""Who may do what? One table, one row for each route.

    T  the role reaches the whole tenant      S  only the member it is about
    P  only parties to it                     R  only relatives whom that member let in, unrevoked
    .  not at all

Columns: patient, relative, clerk, finance, price editor, payer, funder, auditor, operator, integrator; then the scope
(`-`: none is needed) and further words:

    people   no machine may do it             second   not whoever proposed it
    visible  without a relation the answer is 403, because that the thing exists is no secret; elsewhere it is 404
             (403 too where a body names what is not the caller's: nothing was looked up)
    24h      what was agreed holds so many hours later

Rows without columns are for everybody (`open`), for every credential (`known`), for whoever holds a signed link
(`link`), for them after the second factor (`factor`), or only for the machine's own listener (`host`).

A funder reads amounts, never what care they paid for. An auditor changes nothing. A machine never agrees to a payout.

Parts of the table stand in rooms of their own: `policy_pages`, `policy_given_up`, `policy_erasing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from drachm.adapters.rest.identity.decide import Access, Need, Policy
from drachm.adapters.rest.identity.model import Role, Scope
from drachm.adapters.rest.identity.policy_erasing import ERASING
from drachm.adapters.rest.identity.policy_given_up import GIVEN_UP
from drachm.adapters.rest.identity.policy_pages import PAGES
from drachm.adapters.rest.identity.routes import ROUTES, About, Route
from drachm.domain.errors import IntegrityError, ensure

COLUMNS = tuple(Role)

TABLE = """
pa re cl fi pr py fu au op in  scope           words              route

.  .  P  .  .  .  .  .  T  P   events:write    -                  POST   /v1/service-events
.  .  P  P  .  .  .  T  T  P   events:read     -                  GET    /v1/service-events
.  .  P  P  .  .  .  T  T  P   events:read     -                  GET    /v1/service-events/{event_id}
.  .  P  P  .  .  .  T  T  P   events:read     -                  GET    /v1/service-events/{event_id}/revisions
.  .  P  .  .  .  .  .  T  P   events:write    -                  POST   /v1/service-events/{event_id}/revisions
.  .  P  .  .  .  .  .  T  P   events:write    -                  POST   /v1/service-events/{event_id}/reversal
.  .  P  .  .  .  .  T  T  P   events:read     -                  GET    /v1/work-queue
.  .  P  .  .  .  .  T  T  P   events:read     -                  GET    /v1/work-queue/{event_id}
.  .  P  .  .  .  .  .  T  P   events:write    -                  POST   /v1/work-queue/{event_id}/retry
.  .  P  .  .  .  .  .  T  P   events:write    -                  POST   /v1/work-queue/retries

S  .  P  .  .  .  .  .  T  P   estimates       -                  POST   /v1/estimates
S  .  P  .  .  P  .  .  T  P   estimates       -                  POST   /v1/eligibility

S  R  P  P  .  P  .  T  T  P   events:read     -                  GET    /v1/charges
S  R  P  P  .  P  .  T  T  P   events:read     -                  GET    /v1/charges/{charge_id}
S  .  .  .  .  .  .  .  .  .   money:write     -                  POST   /v1/charges/{charge_id}/privacy
S  .  .  .  .  .  .  .  T  .   money:write     -                  POST   /v1/charges/{charge_id}/payments
S  R  P  P  .  P  .  T  T  P   events:read     -                  GET    /v1/visits
S  R  P  P  .  P  .  T  T  P   events:read     -                  GET    /v1/visits/{visit_id}
S  R  P  P  .  P  .  T  T  P   receipts:read   -                  GET    /v1/receipts
S  R  P  P  .  P  .  T  T  P   receipts:read   -                  GET    /v1/receipts/{receipt_id}
S  R  P  P  .  P  .  T  T  P   receipts:read   -                  GET    /v1/receipts/{receipt_id}/why
S  .  P  .  .  .  .  T  T  P   receipts:share  -                  GET    /v1/receipts/{receipt_id}/links
S  .  P  .  .  .  .  .  .  P   receipts:share  -                  POST   /v1/receipts/{receipt_id}/links
S  .  P  .  .  .  .  .  T  P   receipts:share  -                  DELETE /v1/receipts/{receipt_id}/links
S  .  .  .  .  .  .  .  .  .   money:write     -                  POST   /v1/receipts/{receipt_id}/questions
S  .  P  P  .  .  .  T  T  .   receipts:read   -                  GET    /v1/questions
.  .  P  P  .  .  .  .  .  .   money:write     people             POST   /v1/questions/{question_id}/answer
S  .  .  .  .  .  .  .  .  .   money:write     -                  DELETE /v1/questions/{question_id}

T  T  T  T  T  T  T  T  T  T   parties:read    -                  GET    /v1/parties
.  .  .  .  .  .  .  .  T  .   parties:write   -                  POST   /v1/parties
T  T  T  T  T  T  T  T  T  T   parties:read    -                  GET    /v1/parties/{party_id}
.  .  .  P  .  .  .  .  T  .   parties:write   visible            PATCH  /v1/parties/{party_id}
T  T  T  T  T  T  T  T  T  T   parties:read    -                  GET    /v1/parties/{party_id}/sites
.  .  .  P  .  .  .  .  T  P   parties:write   visible            POST   /v1/parties/{party_id}/sites
.  .  .  P  .  .  .  .  T  P   parties:write   visible            PATCH  /v1/sites/{site_id}
T  T  T  T  T  T  T  T  T  T   parties:read    -                  GET    /v1/parties/{party_id}/practitioners
.  .  .  P  .  .  .  .  T  P   parties:write   visible            POST   /v1/parties/{party_id}/practitioners
.  .  .  P  .  .  .  .  T  P   parties:write   visible            PATCH  /v1/practitioners/{practitioner_id}
known                                                             POST   /v1/npi-checks

.  .  .  P  P  P  .  T  T  P   parties:read    -                  GET    /v1/contracts
.  .  .  .  .  .  .  .  T  .   parties:write   people             POST   /v1/contracts
.  .  .  P  P  P  .  T  T  P   parties:read    -                  GET    /v1/contracts/{contract_id}
.  .  .  .  .  .  .  .  T  .   parties:write   people             PATCH  /v1/contracts/{contract_id}

.  .  .  P  .  .  .  T  T  .   payouts:read    -                  GET    /v1/payout-accounts
.  .  .  P  .  .  .  .  T  .   payouts:write   people             POST   /v1/payout-accounts
.  .  .  P  .  .  .  T  T  .   payouts:read    -                  GET    /v1/payout-accounts/{payout_account_id}
.  .  .  P  .  .  .  T  T  .   payouts:read    -                  GET    /v1/payout-accounts/{payout_account_id}/changes
.  .  .  P  .  .  .  .  T  .   payouts:write   people             POST   /v1/payout-accounts/{payout_account_id}/changes
.  .  .  P  .  .  .  .  T  .   payouts:write   people,second,24h  POST   /v1/payout-changes/{change_id}/approval
.  .  .  P  .  .  .  .  T  .   payouts:write   people             DELETE /v1/payout-changes/{change_id}

S  R  P  .  .  P  .  T  T  P   members:read    -                  GET    /v1/members
.  .  P  .  .  P  .  .  T  P   members:write   -                  POST   /v1/members
S  R  P  .  .  P  .  T  T  P   members:read    -                  GET    /v1/members/{member_id}
.  .  .  .  .  P  .  .  T  .   members:write   -                  PATCH  /v1/members/{member_id}
.  .  T  .  .  T  .  .  T  T   members:read    -                  POST   /v1/members/match
.  .  P  .  .  P  .  .  T  P   members:read    -                  POST   /v1/members/search
.  .  .  .  .  .  .  T  T  .   members:read    -                  GET    /v1/members/duplicates
.  .  .  .  .  .  .  .  T  .   members:write   people             POST   /v1/members/merge
.  .  .  .  .  .  .  .  T  .   members:write   people             POST   /v1/members/{member_id}/split
S  .  .  .  .  .  .  T  T  .   members:read    -                  GET    /v1/members/{member_id}/relatives
S  .  .  .  .  .  .  .  T  .   members:write   people             POST   /v1/members/{member_id}/relatives
S  .  .  .  .  .  .  .  T  .   members:write   -                  DELETE /v1/members/{member_id}/relatives/{relative_id}
S  R  .  .  .  P  .  T  T  .   members:read    -                  GET    /v1/families
.  .  .  .  .  P  .  .  T  .   members:write   -                  POST   /v1/families
S  R  .  .  .  P  .  T  T  .   members:read    -                  GET    /v1/families/{family_id}
.  .  .  .  .  P  .  .  T  .   members:write   -                  POST   /v1/families/{family_id}/members
.  .  .  .  .  P  .  .  T  .   members:write   -                  DELETE /v1/families/{family_id}/members/{member_id}

S  R  P  .  .  P  .  T  T  P   members:read    -                  GET    /v1/coverages
.  .  .  .  .  P  .  .  T  .   members:write   -                  POST   /v1/coverages
S  R  P  .  .  P  .  T  T  P   members:read    -                  GET    /v1/coverages/{coverage_id}
.  .  .  .  .  P  .  .  T  .   members:write   -                  PATCH  /v1/coverages/{coverage_id}
.  .  .  .  .  P  .  .  T  .   members:write   -                  POST   /v1/coverages/{coverage_id}/termination

T  T  T  T  T  T  T  T  T  T   plans:read      -                  GET    /v1/plans
.  .  .  .  P  .  .  .  .  .   plans:write     people             POST   /v1/plans
T  T  T  T  T  T  T  T  T  T   plans:read      -                  GET    /v1/plans/{plan_id}
.  .  .  .  P  .  .  T  T  .   plans:read      -                  GET    /v1/plans/{plan_id}/draft
.  .  .  .  P  .  .  .  .  .   plans:write     people             PUT    /v1/plans/{plan_id}/draft
.  .  .  .  P  .  .  .  T  .   plans:write     -                  POST   /v1/plans/{plan_id}/validation
.  .  .  .  P  .  .  .  T  .   plans:write     -                  POST   /v1/plans/{plan_id}/preview
.  .  .  .  P  .  .  .  T  .   plans:write     people,second      POST   /v1/plans/{plan_id}/publication
.  .  P  P  P  P  .  T  T  P   plans:read      -                  GET    /v1/price-books
.  .  .  .  P  .  .  .  .  .   plans:write     people             POST   /v1/price-books
.  .  P  P  P  P  .  T  T  P   plans:read      -                  GET    /v1/price-books/{price_book_id}
.  .  .  .  P  .  .  T  T  .   plans:read      -                  GET    /v1/price-books/{price_book_id}/draft
.  .  .  .  P  .  .  .  .  .   plans:write     people             PUT    /v1/price-books/{price_book_id}/draft
.  .  .  .  P  .  .  .  T  .   plans:write     -                  POST   /v1/price-books/{price_book_id}/validation
.  .  .  .  P  .  .  .  T  .   plans:write     -                  POST   /v1/price-books/{price_book_id}/preview
.  .  .  .  P  .  .  .  T  .   plans:write     people,second      POST   /v1/price-books/{price_book_id}/publication

T  T  T  T  T  T  T  T  T  T   plans:read      -                  GET    /v1/expense-rules
.  .  .  .  .  .  .  .  T  .   plans:write     people             POST   /v1/expense-rules
T  T  T  T  T  T  T  T  T  T   plans:read      -                  GET    /v1/expense-rules/{rules_id}

S  R  .  .  .  .  P  T  T  .   money:read      -                  GET    /v1/wallets
S  .  .  .  .  .  P  .  T  .   money:write     -                  POST   /v1/wallets
S  R  .  .  .  .  P  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}
S  R  .  .  .  .  P  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/entries
S  R  .  .  .  .  P  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/members
S  .  .  .  .  .  P  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/members/{member_id}
S  .  .  .  .  .  P  .  T  .   money:write     -                  PUT    /v1/wallets/{wallet_id}/members/{member_id}
S  .  .  .  .  .  P  .  T  .   money:write     -                  DELETE /v1/wallets/{wallet_id}/members/{member_id}
S  .  .  .  .  .  .  .  .  .   money:read      -                  GET    /v1/wallets/{wallet_id}/privacy/{member_id}
S  .  .  .  .  .  .  .  .  .   money:write     -                  PUT    /v1/wallets/{wallet_id}/privacy/{member_id}
S  .  .  .  .  .  P  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/invitations
S  .  .  .  .  .  P  .  T  .   money:write     -                  POST   /v1/wallets/{wallet_id}/invitations
S  .  .  .  .  .  P  .  T  .   money:write     -                  DELETE /v1/invitations/{invitation_id}
S  .  .  .  .  .  .  .  .  .   members:read    -                  GET    /v1/members/{member_id}/invitations
S  .  .  .  .  .  .  .  .  .   members:write   people             POST   /v1/members/{member_id}/invitations
known                                                             POST   /v1/help
.  .  .  .  .  .  P  .  T  .   money:write     -                  POST   /v1/wallets/{wallet_id}/top-ups
S  R  .  .  .  .  P  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/payments
S  R  .  .  .  .  P  .  T  .   money:write     -                  POST   /v1/wallets/{wallet_id}/payments
S  R  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/payments/{payment_id}
S  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/payments/{payment_id}/refunds
S  .  .  P  .  .  .  .  T  .   money:write     people             POST   /v1/payments/{payment_id}/refunds
S  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/refunds/{refund_id}
S  .  .  .  .  .  .  .  T  .   money:write     people             POST   /v1/wallets/{wallet_id}/payouts
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/automatic-top-up
S  .  .  .  .  .  .  .  T  .   money:write     -                  PUT    /v1/wallets/{wallet_id}/automatic-top-up
S  .  .  .  .  .  .  .  T  .   money:write     -                  POST   /v1/wallets/{wallet_id}/cards
S  .  .  .  .  .  .  .  T  .   money:write     -                  DELETE /v1/wallets/{wallet_id}/cards/{rail}
open                                                              POST   /v1/callbacks/{tenant}/{rail}
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/shifts
.  .  P  .  .  .  .  .  T  .   money:write     -                  POST   /v1/shifts
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/shifts/{shift_id}
.  .  P  .  .  .  .  .  T  .   money:write     -                  POST   /v1/shifts/{shift_id}/payments
.  .  P  .  .  .  .  .  T  .   money:write     -                  POST   /v1/shifts/{shift_id}/count
.  .  .  .  .  .  .  .  T  .   money:write     -                  POST   /v1/bank-statements
.  .  .  .  .  .  .  .  T  .   money:write     -                  POST   /v1/ach-returns
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/members/{member_id}/arrears
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/members/{member_id}/dues
S  .  .  .  .  .  .  .  T  .   money:write     -                  POST   /v1/members/{member_id}/dues/payments
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/members/{member_id}/collection-consent
S  .  .  .  .  .  .  .  .  .   money:write     people             PUT    /v1/members/{member_id}/collection-consent
S  .  .  .  .  .  .  .  T  .   money:write     -                  POST   /v1/members/{member_id}/arrears/payments
.  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/bank-lines
.  .  .  .  .  .  .  .  T  .   money:write     -                  POST   /v1/bank-lines/{line_id}/allocation
.  .  .  P  .  P  P  T  T  .   money:read      -                  GET    /v1/accounts
.  .  .  P  .  P  P  T  T  .   money:read      -                  GET    /v1/accounts/{account_id}
.  .  .  P  .  P  P  T  T  .   money:read      -                  GET    /v1/accounts/{account_id}/entries
.  .  .  P  .  P  P  T  T  .   money:read      -                  GET    /v1/statements
.  .  .  P  .  P  P  T  T  .   money:read      -                  GET    /v1/statements/{statement_id}
.  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/trial-balance
.  .  .  P  .  .  .  T  T  .   money:read      -                  GET    /v1/analytics/care
.  .  .  .  .  P  .  T  T  P   events:read     -                  GET    /v1/events
.  .  P  P  .  P  .  T  T  P   receipts:read   -                  GET    /v1/parties/{party_id}/receipts/stream
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/members/{member_id}/budgets
S  .  .  .  .  .  .  .  T  .   money:write     -                  PUT    /v1/members/{member_id}/budgets
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/budget
S  .  .  .  .  .  .  .  T  .   money:write     -                  PUT    /v1/wallets/{wallet_id}/budget
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/budgets
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/wallets/{wallet_id}/budgets/{member_id}
S  .  .  .  .  .  .  .  T  .   money:write     -                  PUT    /v1/wallets/{wallet_id}/budgets/{member_id}
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/members/{member_id}/automatic-payments
S  .  .  .  .  .  .  .  T  .   money:write     -                  PUT    /v1/members/{member_id}/automatic-payments
S  .  .  .  .  .  .  T  T  .   money:read      -                  GET    /v1/members/{member_id}/notices
S  R  .  .  .  .  .  T  T  .   receipts:read   -                  GET    /v1/members/{member_id}/receipts/stream
S  .  P  P  P  P  P  .  T  P   -               -                  GET    /v1/operations/by-key/{key}

.  .  .  .  .  .  .  T  T  P   keys:read       -                  GET    /v1/api-keys
.  .  .  .  .  .  .  .  T  .   keys:write      people             POST   /v1/api-keys
.  .  .  .  .  .  .  T  T  P   keys:read       -                  GET    /v1/api-keys/{key_id}
.  .  .  .  .  .  .  .  T  P   keys:write      -                  POST   /v1/api-keys/{key_id}/rotation
.  .  .  .  .  .  .  .  T  P   keys:write      -                  DELETE /v1/api-keys/{key_id}
.  .  .  .  .  .  .  T  T  P   keys:read       -                  GET    /v1/clients
.  .  .  .  .  .  .  .  T  .   keys:write      people             POST   /v1/clients
.  .  .  .  .  .  .  T  T  P   keys:read       -                  GET    /v1/clients/{client_id}
.  .  .  .  .  .  .  .  T  P   keys:write      -                  PUT    /v1/clients/{client_id}/keys
.  .  .  .  .  .  .  .  T  P   keys:write      -                  DELETE /v1/clients/{client_id}
open                                                              POST   /v1/token
open                                                              GET    /.well-known/jwks.json

known                                                             GET    /v1/me
open                                                              GET    /openapi.json
open                                                              GET    /problems/{code}
open                                                              GET    /healthz
open                                                              GET    /readyz
host                                                              GET    /metrics
"""


def read_policies(table: str, routes: Iterable[Route]) -> dict[tuple[str, str], Policy]:
    """The rows of a table in the form above, by method and path. Raises IntegrityError for a row it cannot read."""
    about = {(route.method, route.template): route.about for route in routes}
    policies: dict[tuple[str, str], Policy] = {}
    for line in table.splitlines():
        if not line.strip() or line.endswith(" route"):
            continue
        *words, method, template = line.split()
        place = f"{method} {template}"
        ensure((method, template) not in policies, "two rows for one route", where=place)
        ensure((method, template) in about, "a row for a route that is not there", where=place)
        policies[method, template] = _row(method, template, about[method, template], words)
    return policies


def _row(method: str, template: str, about: About, words: list[str]) -> Policy:
    place = f"{method} {template}"
    if len(words) == 1:
        ensure(words[0] in tuple(Access) and words[0] != Access.ROLES, "cannot read the row", where=place)
        return Policy(method, template, Access(words[0]), about)
    ensure(len(words) == len(COLUMNS) + 2, "a row has a letter for each role, a scope and words", where=place)
    *letters, scope, joined = words
    ensure({".", *Need}.issuperset(letters), "unknown letter", where=place)
    extras = frozenset(joined.split(",")) - {"-"}
    hours = extras - {"people", "second", "visible"}
    ensure(all(re.fullmatch("[0-9]+h", word) for word in hours), "unknown word", where=place)
    return Policy(
        method,
        template,
        Access.ROLES,
        about,
        scope=None if scope == "-" else Scope(scope),
        grants={role: Need(letter) for role, letter in zip(COLUMNS, letters, strict=True) if letter != "."},
        hidden="visible" not in extras,
        people="people" in extras,
        second="second" in extras,
        wait_hours=sum(int(word[:-1]) for word in hours),
    )


POLICIES = read_policies(TABLE + PAGES + GIVEN_UP + ERASING, ROUTES)


def policy_of(method: str, template: str) -> Policy:
    """The row of one route. Raises IntegrityError when there is none: nothing is served without a row."""
    row = POLICIES.get((method, template))
    if row is None:
        raise IntegrityError("no row in the policy table", where=f"{method} {template}")
    return row


def missing_rows(routes: Iterable[tuple[str, str]]) -> list[str]:
    """Method and path of every route that the table does not know. CI fails unless this is empty."""
    return sorted(f"{method} {template}" for method, template in routes if (method, template) not in POLICIES)
