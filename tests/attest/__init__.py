"""`./dev attest`: what this repository says of Splunk and of itself, tried on a Splunk.

- every case of SPL semantics (tests/spl/cases) as a search: does Splunk answer what the lab answers?
- every scenario of a detection (tests/scenarios) through the installed app: does it raise exactly these findings?

docs/testing-against-splunk.md says what is written where, and how to remove it.
"""
