#!/bin/sh
# Runs dist/syrinx alone: as nobody, on a read-only root with nothing but the C library, in an empty directory, with an empty environment
# but for the models' address and key, and SYRINX_LISTENING_VAD. scripts/run-alone.sh OUTPUT_FOLDER INPUT_FILE ARGUMENTS... (bubblewrap; SYRINX_BINARY: another binary)
set -eu
output=$1
input=$2
shift 2
binary=${SYRINX_BINARY:-$(cd "$(dirname "$0")/.." && pwd)/dist/syrinx}
exec bwrap --unshare-all --share-net --die-with-parent --uid 65534 --gid 65534 \
  --ro-bind /usr /usr --ro-bind-try /lib /lib --ro-bind-try /lib64 /lib64 --proc /proc --dev /dev \
  --ro-bind "$binary" /app/syrinx --bind "$output" "$output" --ro-bind "$input" "$input" --dir /empty --chdir /empty \
  --clearenv --setenv OPENAI_BASE_URL "${OPENAI_BASE_URL:-}" --setenv OPENAI_API_KEY "${OPENAI_API_KEY:-}" \
  ${SYRINX_LISTENING_VAD:+--setenv SYRINX_LISTENING_VAD "$SYRINX_LISTENING_VAD"} --remount-ro / /app/syrinx "$@"
