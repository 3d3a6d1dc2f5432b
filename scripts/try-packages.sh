#!/bin/sh
# Installs the packages that lie beside this file and uses them, inside a folder that systems.sh made. It changes the system
# that it runs on: not for a machine that anybody needs.
set -eu
cd "$(dirname "$0")"

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

wait_for() { # SECONDS COMMAND…
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

rows_grow() {
	[ "$(wc -c <out/dice.csv)" -gt "$size" ]
}

apt-get update -q
apt-get install -y -q --no-install-recommends ./enrgdaq_*.deb
getent passwd enrgdaq >/dev/null || fail "no system user enrgdaq"
enrgdaq jobs >jobs.log
grep -q DAQJobStoreCSV jobs.log || fail "no store csv"
grep -q DAQJobStoreHDF5 jobs.log && fail "the store hdf5 is in the main package"
apt-get install -y -q --no-install-recommends ./*.deb
enrgdaq jobs >jobs.log 2>&1
for type in DAQJobStoreHDF5 DAQJobStoreMySQL; do
	grep -q $type jobs.log || fail "no $type"
done
grep -q warning jobs.log && { cat jobs.log; fail "a module is left out"; }
for file in /usr/share/doc/enrgdaq/README.md /usr/share/doc/enrgdaq/examples/demo \
	/usr/share/doc/enrgdaq/examples/scan /usr/share/enrgdaq/configs/monitoring/prometheus.yml /usr/libexec/enrgdaq/enrgdaq-web \
	/usr/share/bash-completion/completions/enrgdaq; do
	[ -e "$file" ] || [ -e "$file.gz" ] || fail "$file is not there"
done
[ -e /usr/share/man/man1/enrgdaq-run.1.gz ] || fail "no manual page"

# A run as the system user, from which the program is removed; the run goes on and ends in order.
mkdir lab
cat >lab/dice.toml <<-'END'
	daq_job_type = "DAQJobTest"
	rand_min = 1
	rand_max = 6
	interval_seconds = 0.01
	[store_config.csv]
	file_path = "dice.csv"
	[store_config.hdf5]
	file_path = "dice.h5"
	dataset_name = "dice"
END
mkdir /var/tmp/daq
cp -r lab /var/tmp/daq/
chown -R enrgdaq: /var/tmp/daq
cd /var/tmp/daq
user="setpriv --reuid enrgdaq --regid enrgdaq --init-groups env HOME=/var/tmp/daq"
$user enrgdaq check lab || fail "check"
$user enrgdaq run lab >run.log 2>&1 &
run=$!
size=0
wait_for 30 test -s out/dice.csv || { cat run.log; fail "no data"; }
apt-get remove -y -q enrgdaq
[ -e /usr/bin/enrgdaq ] && fail "the program is still there"
size=$(wc -c <out/dice.csv)
wait_for 30 rows_grow || { cat run.log; fail "no data after the package was removed"; }
kill -TERM $run
rc=0
wait $run || rc=$?
[ $rc = 0 ] || { cat run.log; fail "the run whose package was removed ended with $rc"; }
cd /root
apt-get install -y -q --no-install-recommends ./*.deb

# A driver against enrgdaq-dev.
apt-get install -y -q --no-install-recommends cmake make g++ pkg-config
cp -r /usr/share/doc/enrgdaq-dev/examples/author author
cmake -S author -B author/build
cmake --build author/build
ENRGDAQ_MODULE_PATH=$PWD/author/build enrgdaq describe DAQJobCounter
ls /usr/share/doc/enrgdaq-dev/examples
ruler=/usr/share/doc/enrgdaq-dev/examples/ruler.c
[ -e $ruler ] || { gunzip -k $ruler.gz; }
# shellcheck disable=SC2046
cc -std=c17 -Wall -Wextra -Werror -fPIC -shared $(pkg-config --cflags enrgdaq) $ruler -o ruler.so
ENRGDAQ_MODULE_PATH=$PWD enrgdaq describe DAQJobRuler
enrgdaq doctor | grep "good  authors: headers" || fail "doctor finds no headers"
apt-get purge -y -q enrgdaq enrgdaq-dev enrgdaq-store-hdf5 enrgdaq-store-mysql
echo "the packages work"
