# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the bash scripts share. Source it; it sets `tree`, the root of the source tree.

tree=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
program=${0##*/}

# What does not change between two clones: the libraries for the target, default inputs.
cache="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/strata"

# Ends with exit code 2: the caller asked for something that does not exist.
refuse() {
	# One line, whatever the value that is refused has in it.
	printf '%s: %s\n' "$program" "${*//[[:cntrl:]]/?}" >&2
	exit 2
}

# Ends with exit code 1: what was asked for could not be done.
fail() {
	printf '%s: %s\n' "$program" "$*" >&2
	exit 1
}

progress() {
	printf '%s: %s\n' "$program" "$*" >&2
}

# The comment block at the head of the script, from its third line on: what --help prints.
print_help() {
	sed -n '3,/^$/s/^# \{0,1\}//p' "$0"
}

# is_one_of VALUE WORD...
is_one_of() {
	local value=$1 word
	shift
	for word in "$@"; do
		[ "$value" = "$word" ] && return 0
	done
	return 1
}

# list_words WORD...: "a, b, c" for a message.
list_words() {
	local list=$1
	shift
	printf '%s' "$list"
	[ $# -eq 0 ] || printf ', %s' "$@"
}

# The names of build directories say what they hold:
#   host-COMPILER                  the simulated MMU, sanitizers
#   aarch64-COMPILER-MODE          libstrata.a and the images, MODE is checked or release
#   host-races                     the simulated MMU, ThreadSanitizer, and no model
#   canary-host, canary-image      the same with deliberate defects to choose from
build_arguments() {
	local name=$1
	local cross=(--cross-file cross/aarch64-linux-gnu-gcc.ini -Dlibfdt="$cache/libfdt")
	local host=(--native-file cross/host-gcc.ini "-Db_sanitize=address,undefined" -Db_lundef=false)
	case $name in
	host-clang)
		host[1]=cross/host-clang.ini
		printf '%s\n' "${host[@]}"
		;;
	host-races)
		# ThreadSanitizer knows no fences: what those order it may report, and does not here.
		printf '%s\n' "${host[@]::2}" -Db_sanitize=thread -Db_lundef=false -Dc_args=-Wno-tsan \
			-Dchecked=false
		;;
	host-* | canary-host) printf '%s\n' "${host[@]}" ;;
	aarch64-clang-*)
		cross[1]=cross/aarch64-clang.ini
		printf '%s\n' "${cross[@]}"
		;;
	aarch64-* | canary-image) printf '%s\n' "${cross[@]}" ;;
	*) fail "no build is called $name" ;;
	esac
	case $name in
	*-release) printf '%s\n' -Dchecked=false ;;
	*-lse) printf '%s\n' -Dchecked=false -Dlse=true ;;
	canary-*) printf '%s\n' -Dcanary=true ;;
	esac
}

# configure NAME: sets up build/NAME once; Meson itself follows later changes of the build files.
configure() {
	local name=$1 arguments
	[ -f "$tree/build/$name/build.ninja" ] && return 0
	mapfile -t arguments < <(build_arguments "$name")
	rm -rf "$tree/build/$name"
	(cd "$tree" && meson setup "build/$name" "${arguments[@]}") >&2
}

# compile NAME [TARGET...]: all of it without a TARGET. What fails says so on stderr.
compile() {
	local name=$1 started=$SECONDS
	shift
	configure "$name" || return 1
	ninja -C "$tree/build/$name" --quiet "$@" >&2 || return 1
	[ $((SECONDS - started)) -lt 2 ] || progress "built $name in $((SECONDS - started)) s"
}
