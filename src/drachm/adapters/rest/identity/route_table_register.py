"""The calls about the register and its documents: a part of `route_table.py`, in the same form."""

from __future__ import annotations

REGISTER = """\
GET /v1/parties  list_parties  many
  Providers, payers, funders and employers of the tenant.
POST /v1/parties  create_party  whole
  Register a party with its roles; a provider's NPI is checked.
GET /v1/parties/{party_id}  get_party  one
  One party as the tenant's directory shows it.
PATCH /v1/parties/{party_id}  update_party  one
  Change what the directory says of a party.
GET /v1/parties/{party_id}/sites  list_sites  one
  Where a provider gives care.
POST /v1/parties/{party_id}/sites  create_site  one
  Add a place where a provider gives care.
PATCH /v1/sites/{site_id}  update_site  one
  Change a site, or end it at a date.
GET /v1/parties/{party_id}/practitioners  list_practitioners  one
  Who gives care for a provider.
POST /v1/parties/{party_id}/practitioners  create_practitioner  one
  Add a practitioner; the NPI is checked.
PATCH /v1/practitioners/{practitioner_id}  update_practitioner  one
  Change a practitioner, or end the engagement at a date.
POST /v1/npi-checks  check_npi  open
  Whether a National Provider Identifier is well formed: its check digit, not a register.

GET /v1/contracts  list_contracts  many
  Contracts: who pays whom by which price book, plan, rounding and fee.
POST /v1/contracts  create_contract  named
  Record what a provider and a payer agreed, from a date on.
GET /v1/contracts/{contract_id}  get_contract  one
  One contract.
PATCH /v1/contracts/{contract_id}  update_contract  one
  Change a contract from a date on; what was cleared before stays as it is.

GET /v1/payout-accounts  list_payout_accounts  many
  Where parties are paid, account numbers masked.
POST /v1/payout-accounts  propose_payout_account  named key
  Propose an account to be paid to; it is used after a second person agreed and a day has passed.
GET /v1/payout-accounts/{payout_account_id}  get_payout_account  one
  One payout account, its number masked, and what waits for it.
GET /v1/payout-accounts/{payout_account_id}/changes  list_payout_changes  one
  Every change proposed, agreed or withdrawn, and by whom.
POST /v1/payout-accounts/{payout_account_id}/changes  propose_payout_change  one key
  Propose another account number; nothing changes yet.
POST /v1/payout-changes/{change_id}/approval  approve_payout_change  one key
  A second person agrees; the change holds a day later, and everybody concerned is told at once.
DELETE /v1/payout-changes/{change_id}  withdraw_payout_change  one
  Stop a change before it holds; one person is enough.

GET /v1/members  list_members  many
  Members the caller has to do with.
POST /v1/members  create_member  named
  Enrol a person; a likely duplicate is answered with the member it resembles.
GET /v1/members/{member_id}  get_member  one
  One member.
PATCH /v1/members/{member_id}  update_member  one
  Correct what is known of a member.
POST /v1/members/match  match_member  whole
  Find the one member who fits what the person at the desk says; too little to go on finds nobody.
POST /v1/members/search  search_members  many
  Members of the caller's whose name was typed: given and family name in either order, or the family name alone.
GET /v1/members/duplicates  list_duplicates  whole
  Pairs of members who may be one person, with what speaks for it.
POST /v1/members/merge  merge_members  whole
  Treat two members as one person from now on; no ledger row is touched.
POST /v1/members/{member_id}/split  split_member  one
  Undo a merge that was wrong; no ledger row is touched.
GET /v1/members/{member_id}/relatives  list_relatives  one
  Who may look at a member's receipts, and until when.
POST /v1/members/{member_id}/relatives  allow_relative  one
  Let another person look at a member's receipts until a date.
DELETE /v1/members/{member_id}/relatives/{relative_id}  revoke_relative  one
  Take that back; it holds from the next call on.
GET /v1/families  list_families  many
  Families the caller has to do with.
POST /v1/families  create_family  named
  Found a family whose members share what a plan shares.
GET /v1/families/{family_id}  get_family  one
  One family and who belongs to it, when.
POST /v1/families/{family_id}/members  join_family  one
  Add a member to a family from a date on.
DELETE /v1/families/{family_id}/members/{member_id}  leave_family  one
  End a member's time in a family.

GET /v1/coverages  list_coverages  many
  Coverages: which payer covers whom under which plan, in which order.
POST /v1/coverages  create_coverage  named
  Cover a member; several payers have an order.
GET /v1/coverages/{coverage_id}  get_coverage  one
  One coverage.
PATCH /v1/coverages/{coverage_id}  update_coverage  one
  Change a coverage from a date on.
POST /v1/coverages/{coverage_id}/termination  terminate_coverage  one key
  End a coverage, also at a past date; what was cleared since is adjudicated anew.

GET /v1/plans  list_plans  many
  Published plans and the versions in force.
POST /v1/plans  draft_plan  named
  Begin a plan as a draft.
GET /v1/plans/{plan_id}  get_plan  one
  A published plan with its clauses.
GET /v1/plans/{plan_id}/draft  get_plan_draft  one
  The draft of a plan's next version.
PUT /v1/plans/{plan_id}/draft  replace_plan_draft  one
  Write the draft of a plan's next version.
POST /v1/plans/{plan_id}/validation  validate_plan  one
  Hold the draft against the schema and its own test cases.
POST /v1/plans/{plan_id}/preview  preview_plan  one
  What past months would have cost under the draft: sums, no person named.
POST /v1/plans/{plan_id}/publication  publish_plan  one
  Publish the draft from a date on; somebody other than its author does it.

GET /v1/price-books  list_price_books  many
  Published price books and the versions in force.
POST /v1/price-books  draft_price_book  named
  Begin a price book as a draft.
GET /v1/price-books/{price_book_id}  get_price_book  one
  A published price book.
GET /v1/price-books/{price_book_id}/draft  get_price_book_draft  one
  The draft of a price book's next version.
PUT /v1/price-books/{price_book_id}/draft  replace_price_book_draft  one
  Write the draft of a price book's next version.
POST /v1/price-books/{price_book_id}/validation  validate_price_book  one
  Hold the draft against the schema and the services it must price.
POST /v1/price-books/{price_book_id}/preview  preview_price_book  one
  What past months would have cost under the draft: sums, no person named.
POST /v1/price-books/{price_book_id}/publication  publish_price_book  one
  Publish the draft from a date on; somebody other than its author does it.

GET /v1/expense-rules  list_expense_rules  many
  Published rules that say which care money for a purpose may pay for.
POST /v1/expense-rules  publish_expense_rules  whole
  Publish a version of such rules; it takes over on its first day.
GET /v1/expense-rules/{rules_id}  get_expense_rules  one
  A published version of such rules.
"""
