#!/bin/bash
# Gives Kibana's own user its password, and makes elkwatch's role and user.
# May be run again at any time. Passwords come from files and are never printed: curl
# reads the administrator's from a configuration on standard input.
set -euo pipefail

secrets=${SECRETS_DIR:-/run/secrets}
role_file=${ROLE_FILE:-/setup/role.json}

fail() {
  echo "grants: $*" >&2
  exit 1
}

secret() {
  local file=$secrets/$1 value
  [[ -r $file ]] || fail "$file cannot be read; see docs/deploy.md"
  value=$(<"$file")
  [[ -n $value ]] || fail "$file is empty; write a password into it"
  [[ $value != *[\"\\]* && $value != *$'\n'* ]] ||
    fail "$file: choose a password of one line without quotes and backslashes"
  printf '%s' "$value"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# call METHOD PATH BODY: one request as the administrator; fails on any HTTP error.
call() {
  local options=(--silent --show-error --output "$work/answer" --write-out '%{http_code}')
  local status
  [[ -z ${CA_FILE:-} ]] || options+=(--cacert "$CA_FILE")
  printf '%s' "$3" >"$work/body"
  status=$(
    printf 'user = "%s:%s"\n' "$admin_name" "$admin" |
      curl --config - "${options[@]}" --request "$1" \
        --header 'Content-Type: application/json' \
        --data-binary "@$work/body" "$ELASTICSEARCH_URL$2" 2>"$work/error"
  ) || fail "$2: $(tail -c 300 "$work/error")"
  [[ $status == 2* ]] || fail "$2: HTTP $status: $(tail -c 300 "$work/answer")"
}

admin_name=${ADMIN_NAME:-elastic}
admin=$(secret elastic_password)
kibana=$(secret kibana_password)
service=$(secret elkwatch_password)

call POST /_security/user/kibana_system/_password "{\"password\": \"$kibana\"}"
call PUT /_security/role/elkwatch_run "$(<"$role_file")"
call PUT /_security/user/elkwatch \
  "{\"password\": \"$service\", \"roles\": [\"elkwatch_run\"], \"full_name\": \"elkwatch\"}"
echo "role elkwatch_run, user elkwatch and the password of kibana_system are set"
