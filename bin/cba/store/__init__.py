"""KV store access through splunk-sdk, batched within the limits: one class per collection."""
