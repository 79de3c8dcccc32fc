#!/bin/sh
# Makes target/debian/bouncestat_*.deb of a program that is built already (cargo build --release --locked).
# With cargo-deb, by the settings in Cargo.toml; without it, by dpkg-deb with the same files.
set -eu
cd "$(dirname "$0")/.."
program=target/release/bouncestat
made=target/packaging
rm -rf "$made"
mkdir -p "$made/man" "$made/completions"
export BOUNCESTAT_CONFIG=
"$program" man --out "$made/man"
gzip -9n "$made"/man/*.1
for shell in bash zsh fish; do
    "$program" completions "$shell" -o "$made/completions/$shell"
done

if cargo deb --version >/dev/null 2>&1; then
    exec cargo deb --no-build
fi

version=$("$program" --version | cut -d' ' -f2)
arch=$(dpkg --print-architecture)
root=$made/root
put() { install -D -m "$1" "$2" "$root/$3"; }
put 755 "$program" usr/bin/bouncestat
for page in "$made"/man/*; do put 644 "$page" "usr/share/man/man1/${page##*/}"; done
put 644 "$made/completions/bash" usr/share/bash-completion/completions/bouncestat
put 644 "$made/completions/zsh" usr/share/zsh/vendor-completions/_bouncestat
put 644 "$made/completions/fish" usr/share/fish/vendor_completions.d/bouncestat.fish
for unit in packaging/*.service packaging/*.timer; do put 644 "$unit" "usr/lib/systemd/system/${unit##*/}"; done
put 644 packaging/bouncestat.sysusers usr/lib/sysusers.d/bouncestat.conf
put 644 packaging/bouncestat.tmpfiles usr/lib/tmpfiles.d/bouncestat.conf
put 644 packaging/bouncestat.toml usr/share/doc/bouncestat/examples/bouncestat.toml
put 644 packaging/bouncestat.cron usr/share/doc/bouncestat/examples/bouncestat.cron
for doc in README.md CHANGELOG.md; do put 644 "$doc" "usr/share/doc/bouncestat/$doc"; done
cat LICENSE-MIT LICENSE-APACHE > "$made/copyright"
put 644 "$made/copyright" usr/share/doc/bouncestat/copyright
strip "$root/usr/bin/bouncestat"

# The libraries that the program is linked with; dpkg knows their packages.
mkdir -p "$made/debian" "$root/DEBIAN"
printf 'Source: bouncestat\n' > "$made/debian/control"
libraries=$(cd "$made" && dpkg-shlibdeps -O root/usr/bin/bouncestat 2>/dev/null | sed -n 's/^shlibs:Depends=//p') || libraries=libc6
{
    printf 'Package: bouncestat\nVersion: %s-1\nArchitecture: %s\nSection: mail\nPriority: optional\n' "$version" "$arch"
    printf 'Maintainer: bouncestat packagers <packagers@bouncestat.example>\nDepends: %s\n' "${libraries:-libc6}"
    printf 'Installed-Size: %s\n' "$(du -sk "$root/usr" | cut -f1)"
    printf 'Description: What mail bounces, where and why\n'
    printf ' Reads the logs that Postfix, Exim and Exchange already write, and reports for\n'
    printf ' every recipient domain how much mail bounced, why, and what to do about it.\n'
} > "$root/DEBIAN/control"
for script in postinst prerm; do install -m 755 "packaging/$script" "$root/DEBIAN/$script"; done
mkdir -p target/debian
dpkg-deb --root-owner-group --build "$root" "target/debian/bouncestat_$version-1_$arch.deb"
