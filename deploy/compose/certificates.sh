#!/bin/bash
# Makes a certificate authority and a certificate for Elasticsearch, once.
# Runs in the image of Elasticsearch, which brings elasticsearch-certutil.
set -euo pipefail
umask 027
target=/certificates

if [[ -f $target/elasticsearch/elasticsearch.crt ]]; then
  echo "certificates are there"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

elasticsearch-certutil ca --silent --pem --days 3650 --out "$work/ca.zip"
unzip -q "$work/ca.zip" -d "$target"
elasticsearch-certutil cert --silent --pem --days 825 --out "$work/node.zip" \
  --name elasticsearch --dns elasticsearch --dns localhost --ip 127.0.0.1 \
  --ca-cert "$target/ca/ca.crt" --ca-key "$target/ca/ca.key"
unzip -q "$work/node.zip" -d "$target"

# Everybody in the stack may read the authority's certificate, only uid 1000 the keys;
# the authority's own key is needed by nobody once the certificate is signed.
rm -f "$target/ca/ca.key"
chown -R 1000:0 "$target"
chmod 755 "$target" "$target/ca"
chmod 644 "$target/ca/ca.crt"
chmod 750 "$target/elasticsearch"
chmod 640 "$target"/elasticsearch/*
echo "certificates made"
