#!/bin/sh
# Installs one gateway from this checkout: /opt/hawser, a command in /usr/local/bin with its man page and completions, a
# user, a systemd unit.
# Running it again brings an installation up to date; configuration is never touched.
#
#   npm ci && npm run build && sudo deploy/install.sh local      (on the router)
#   npm ci && npm run build && sudo deploy/install.sh remote     (on the VPS)
#
# DESTDIR=DIR puts everything below DIR and leaves users, owners and systemd alone (for packagers).
set -eu
# The service runs as another user than the one that installs.
umask 022

role=${1:-}
destdir=${DESTDIR:-}
checkout=$(cd "$(dirname "$0")/.." && pwd)
prefix=/opt/hawser

fail() {
  echo "install.sh: $*" >&2
  exit "${code:-1}"
}

case $role in
  local | remote) ;;
  *) code=2 fail "which gateway? usage: $0 local|remote" ;;
esac
[ -n "$destdir" ] || [ "$(id -u)" = 0 ] || fail "needs root: sudo $0 $role"
[ -f "$checkout/packages/gateway-$role/dist/cli.js" ] && [ -f "$checkout/man/hawser-$role.1" ] || fail "not built yet: npm ci && npm run build"

# Beside the old one, so that a failure half-way leaves that as it is.
new=$destdir$prefix.new
trap 'rm -rf "$new"' EXIT
rm -rf "$new"
mkdir -p "$new/deploy" "$new/tools"
cp "$checkout/package.json" "$checkout/package-lock.json" "$checkout/LICENSE" "$new/"
cp "$checkout/tools/with-node" "$new/tools/"
cp "$checkout"/deploy/*.toml "$checkout"/deploy/*.conf "$new/deploy/"
for package in "$checkout"/packages/*/; do
  target=$new/packages/$(basename "$package")
  mkdir -p "$target"
  cp "$package/package.json" "$target/"
  for part in bin dist assets; do
    if [ -d "$package/$part" ]; then cp -R "$package/$part" "$target/"; fi
  done
done
(cd "$new" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error)
"$new/tools/with-node" node --version > /dev/null || exit 1

rm -rf "$destdir$prefix.old"
if [ -e "$destdir$prefix" ]; then mv "$destdir$prefix" "$destdir$prefix.old"; fi
mv "$new" "$destdir$prefix"
rm -rf "$destdir$prefix.old"

mkdir -p "$destdir/usr/local/bin" "$destdir/etc/systemd/system" "$destdir/etc/hawser"
command=$destdir/usr/local/bin/hawser-$role
cat > "$command.new" << END
#!/bin/sh
exec $prefix/packages/gateway-$role/bin/hawser-$role "\$@"
END
chmod 755 "$command.new"
mv "$command.new" "$command"
share=$destdir/usr/local/share
program=$destdir$prefix/packages/gateway-$role/bin/hawser-$role
mkdir -p "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
  "$share/fish/vendor_completions.d"
install -m 644 "$checkout/man/hawser-$role.1" "$share/man/man1/hawser-$role.1"
"$program" completion bash > "$share/bash-completion/completions/hawser-$role"
"$program" completion zsh > "$share/zsh/site-functions/_hawser-$role"
"$program" completion fish > "$share/fish/vendor_completions.d/hawser-$role.fish"

install -m 644 "$checkout/deploy/hawser-$role.service" "$destdir/etc/systemd/system/hawser-$role.service"

if [ -z "$destdir" ]; then
  if ! id hawser > /dev/null 2>&1; then
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hawser
  fi
  # The service's user owns its directory: what root creates in it by `hawser-remote init` and `pair` belongs to it.
  chown hawser:hawser /etc/hawser
  chmod 750 /etc/hawser
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
fi

echo "Installed $prefix and hawser-$role. What is left to do:"
if [ "$role" = remote ]; then
  cat << 'END'
  hawser-remote init -c /etc/hawser/remote.toml --listen '[::]:4433' --advertise PUBLIC-ADDRESS:4433
  hawser-remote pair home -c /etc/hawser/remote.toml       (prints the pairing line for the router)
  systemctl enable --now hawser-remote
END
else
  cat << 'END'
  install -o hawser -g hawser -m 600 /opt/hawser/deploy/local.example.toml /etc/hawser/local.toml
  install -o hawser -g hawser -m 600 /dev/null /etc/hawser/pairing.txt
  then write the pairing line into pairing.txt, your lines into local.toml, and:
  hawser-local doctor -c /etc/hawser/local.toml
  systemctl enable --now hawser-local
END
fi
