"""The lab: a local search head that runs the shipped app itself, without a Splunk."""
