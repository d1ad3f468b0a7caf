#!/bin/sh
# Publishes two observations, and waits until both are durable. Exits 1 if one was rejected.
set -eu
tocsin publish "$@" <<'LINES'
{"event_type":"listing_views","metric":"total_views","dimensions":{"device":"mobile"},"severity":"critical","value":245,"expected":1850}
{"event_type":"listing_views","metric":"total_views","dimensions":{"device":"desktop"},"status":"resolved","value":1790,"expected":1850}
LINES
