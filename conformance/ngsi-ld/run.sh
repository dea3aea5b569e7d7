#!/usr/bin/env bash
# Runs the NGSI-LD suite against servers of its own and counts by directory.
#
#   git clone https://github.com/marek-mraz/ngsi-ld-test-suite suite
#   bash conformance/ngsi-ld/run.sh suite                               # all of TP/NGSI-LD in one run
#   bash conformance/ngsi-ld/run.sh suite ContextInformation/Provision  # what is below TP/NGSI-LD/...
#   bash conformance/ngsi-ld/run.sh --iop suite                         # the tests of several servers (IOP_TP)
#
# CARDO names the binary (target/release/cardo), WORK a folder for what is made on the way. mosquitto has to be
# installed. These ports have to be free: 1883, 8085 to 8088 and 9090; with --iop 8089, 8093 to 8097 and
# 9090 to 9094. The last line is `PASSED x OF y`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=TP/NGSI-LD servers=1
if [ "${1:-}" = --iop ]; then top=IOP_TP/NGSI-LD/Interoperability servers=5; shift; fi
[ $# -ge 1 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
suite=$(cd "$1" && pwd) && shift
cardo=$(realpath "${CARDO:-$here/../../target/release/cardo}")
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)

if [ ! -e "$work/venv/ready" ]; then
  python3 -m venv "$work/venv"
  grep -vE '^(#|-e |robotframework-robocop)' "$suite/requirements.txt" >"$work/requirements.txt"
  "$work/venv/bin/pip" install --quiet --requirement "$work/requirements.txt"
  touch "$work/venv/ready"
fi

# The contexts of the suite are kept beforehand, so that its payloads need no internet.
cp "$here/cardo.toml" "$work/cardo.toml"
rm -rf "$work/data" "$work/results"
contexts=$suite/resources/jsonld-contexts
published=https://raw.githubusercontent.com/marek-mraz/ngsi-ld-test-suite/main/resources/jsonld-contexts
forge=https://forge.etsi.org/rep/cim/ngsi-ld-test-suite/-/raw/develop/resources/jsonld-contexts
older=https://easy-global-market.github.io/ngsild-api-data-models/ngsildTestSuite
keep() { "$cardo" context add "$1" "$2" --config "$work/cardo.toml" >/dev/null; }
for base in "$published" "$forge"; do
  keep "$base/ngsi-ld-test-suite.jsonld" "$contexts/ngsi-ld-test-suite.jsonld"
  keep "$base/ngsi-ld-test-suite-compound.jsonld" "$contexts/ngsi-ld-test-suite-compound.jsonld"
done
keep "$older/ngsildTestSuiteV1.8-compound.jsonld" "$contexts/ngsi-ld-test-suite-compound.jsonld"
# Three more are named by tests of jsonldContext, which need that they can be had and none of their terms.
echo '{"@context": {}}' >"$work/empty.jsonld"
keep https://fiware.github.io/data-models/context.jsonld "$work/empty.jsonld"
keep https://fiware.github.io/NGSI-LD_TestSuite/ldContext/testContext.jsonld "$work/empty.jsonld"
keep http://smartdatamodels.org/context.jsonld "$work/empty.jsonld"

# The tests of MQTT start and remove a container with a broker; the mosquitto of this machine stands in for it.
mkdir -p "$work/bin"
cat >"$work/bin/docker" <<STAND_IN
#!/usr/bin/env bash
up() { (: <>/dev/tcp/127.0.0.1/1883) 2>/dev/null; }
if [ -e "$work/mosquitto.pid" ]; then
  kill "\$(cat "$work/mosquitto.pid")" 2>/dev/null && while up; do sleep 0.05; done
  rm "$work/mosquitto.pid"
fi
[ "\$1" = run ] || exit 0
settings=\$(sed -E 's/.*CONF=([^ ]*) .*/\1/' <<<"\$*")
files=$suite/resources/mqttUtils/mosquitto
sed "s#/mosquitto/config#\$files#" "\$files/\${settings:-mosquitto.conf}" >"$work/mosquitto.conf"
printf '\nlistener 8088\n' >>"$work/mosquitto.conf"
PATH=\$PATH:/usr/sbin setsid mosquitto -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 &
echo \$! >"$work/mosquitto.pid"
for _ in {1..100}; do up && exit 0; sleep 0.05; done
exit 1
STAND_IN
chmod +x "$work/bin/docker"

# One server, or with --iop five, each with an alias of its own as the tests spell it.
settings=() running=()
trap 'kill "${running[@]}"; "$work/bin/docker" rm' EXIT
for number in $(seq "$servers"); do
  port=$((9089 + number))
  data=$work/data$number
  rm -rf "$data" && cp -r "$work/data" "$data"
  CARDO_FEDERATION_ALIAS=antares$number "$cardo" serve --config "$work/cardo.toml" --listen "127.0.0.1:$port" --data "$data" \
    >"$work/cardo$number.log" 2>&1 &
  running+=($!)
  curl --silent --retry 20 --retry-connrefused --retry-delay 1 --output /dev/null "http://127.0.0.1:$port/ready"
  settings+=(--variable "b${number}_url:http://127.0.0.1:$port/ngsi-ld/v1")
done

# A variable of the command line wins over resources/variables.py; robot ends with the number of failures.
api=http://127.0.0.1:9090/ngsi-ld/v1
settings+=(--variable "url:$api" --variable "temporal_api_url:$api" --variable mqtt_broker_non_default_port:8088)
for host in notification_server context_source context_server mqtt_broker; do
  settings+=(--variable "${host}_host:127.0.0.1")
done
cd "$suite"
for directory in "${@:-}"; do
  name=${directory:-all}
  # The tests of several servers empty them in the preparation of the whole tree, so all of it is named.
  target=("$top/$directory")
  if [ "$servers" -gt 1 ]; then target=(--suite "*.Interoperability${directory:+.}${directory//\//.}" IOP_TP); fi
  PATH=$work/bin:$PATH "$work/venv/bin/robot" --pythonpath libraries/robotframework-httpctrl/src "${settings[@]}" --console none \
    --outputdir "$work/results/${name//\//_}" "${target[@]}" >/dev/null 2>&1 || true
done

"$work/venv/bin/python" - "$work/results" "$suite/$top" <<'PY'
import collections, os, sys
from robot.api import ExecutionResult, ResultVisitor

results, top = sys.argv[1:]
counts, failed = collections.Counter(), []


class Count(ResultVisitor):
    def visit_test(self, test):
        folder = os.path.relpath(os.path.dirname(test.source), top)
        counts[folder, test.status] += 1
        if test.status == "FAIL":
            failed.append(f"{folder}\t{test.name}\t{' '.join(test.message.split())[:300]}\n")


for name in sorted(os.listdir(results)):
    ExecutionResult(os.path.join(results, name, "output.xml")).visit(Count())
for folder in sorted({folder for folder, _ in counts}):
    print(f"{folder:100} {counts[folder, 'PASS']:4} passed {counts[folder, 'FAIL']:4} failed")
with open(os.path.join(results, "failed.txt"), "w") as file:
    file.writelines(failed)
print(f"what failed: {results}/failed.txt")
passed = sum(count for (_, status), count in counts.items() if status == "PASS")
print(f"PASSED {passed} OF {sum(counts.values())}")
PY
