#!/bin/sh
# The CA of a cluster as a program, with OpenSSL 3.4 or newer: an example for `causeway init --ca-program` (docs/external-ca.md).
# Beside this file are CA.pem and CA.key of each root, where CA is its fingerprint as `causeway ca show` prints it, and before a
# rotation next.pem and next.key. Only root may read the keys. Give the next root its own fingerprint as its name, too.
set -eu
umask 077
own=$(dirname "$0")
root=$own/$CAUSEWAY_CA
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/in.pem"

case $CAUSEWAY_TASK in
  certificate)
    names=URI:$CAUSEWAY_URI
    for name in $(echo "$CAUSEWAY_DNS_NAMES" | tr , ' '); do names=$names,DNS:$name; done
    for ip in $(echo "$CAUSEWAY_IP_ADDRESSES" | tr , ' '); do names=$names,IP:$ip; done
    cat > "$work/extensions" << END
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $CAUSEWAY_USAGES
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
END
    openssl x509 -req -in "$work/in.pem" -CA "$root.pem" -CAkey "$root.key" -sha256 -extfile "$work/extensions" \
      -subj "/O=$CAUSEWAY_CLUSTER/OU=$CAUSEWAY_ROLE/CN=$CAUSEWAY_ID" \
      -not_before "$(echo "$CAUSEWAY_NOT_BEFORE" | tr -d T:-)" -not_after "$(echo "$CAUSEWAY_NOT_AFTER" | tr -d T:-)"
    ;;
  next-ca)
    # Certificates of the next root name the root by this id.
    key_id=$(openssl x509 -in "$own/next.pem" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :')
    cat > "$work/extensions" << END
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = ${key_id:-hash}
authorityKeyIdentifier = keyid
END
    cat "$own/next.pem"
    # Ten minutes ago, for hosts whose clock is behind.
    openssl x509 -in "$own/next.pem" -CA "$root.pem" -CAkey "$root.key" -sha256 -clrext -extfile "$work/extensions" \
      -not_before "$(date -u -d '10 minutes ago' +%Y%m%d%H%M%SZ)" -days 3650
    ;;
  *)
    echo "unknown task $CAUSEWAY_TASK" >&2
    exit 2
    ;;
esac
