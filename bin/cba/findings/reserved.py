"""Fields that Enterprise Security gives a meaning of its own: a row that raises an alert has none of them.

The actions `notable` and `risk` write a row's fields into an event, and ES reads them there as if it had set them: the
macro `notable` takes a `status` of the row for the status of the notable (by its number in reviewstatuses_lookup), and
`owner` likewise; the risk action would use a `risk_object` of the row for every entry of `_risk`. Sources:

- "Using notable events in search" lists a notable's fields and where each comes from:
  https://dev.splunk.com/enterprise/docs/devtools/enterprisesecurity/notableeventsplunkes/usingnotableeventsinsearch
- "How urgency is assigned to notable events" (urgency from severity and priority):
  https://help.splunk.com/splunk-enterprise-security-7/user-guide/7.3/incident-review/how-urgency-is-assigned-to-notable-events-in-splunk-enterprise-security
- "Risk scoring": https://docs.splunk.com/Documentation/ES/latest/User/RiskScoring

`severity` is none of them: ES reads it as the severity, and that is what it is. `host` is not either: a finding about a
host names it there, the risk action reads it, and the notable has it as orig_host.
"""

from __future__ import annotations

_REVIEW = """
    status status_label status_group status_description status_end status_default owner owner_realname urgency priority
    comment reviewer reviewer_realname review_time disposition disposition_label disposition_description
"""
_IDENTIFIERS = """
    event_id event_hash rule_id xref_id xref_name orig_action_name orig_sid orig_rid orig_time orig_event_id orig_tag
    orig_host orig_source orig_sourcetype
"""
_SEARCH = """ rule_name rule_title rule_description security_domain search_name savedsearch_description default_owner
default_status drilldown_name drilldown_search drilldown_searches drilldown_earliest drilldown_latest
drilldown_earliest_offset drilldown_latest_offset next_steps recommended_actions extract_artifacts investigation_type
investigation_profiles governance control notable_type
"""
_RISK = """
    risk_object risk_object_type risk_score risk_message risk_factor_add risk_factor_mult calculated_risk_score
    threat_object threat_object_type annotations normalized_risk_object
"""
_SPLUNK = """
    index source sourcetype splunk_server linecount punct eventtype tag tags timestamp info_min_time info_max_time
"""

RESERVED = frozenset(" ".join((_REVIEW, _IDENTIFIERS, _SEARCH, _RISK, _SPLUNK)).split())
