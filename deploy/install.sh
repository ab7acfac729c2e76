#!/bin/sh
# Installs one gateway from this checkout, brings it up to date, or removes it: see usage below.
# DESTDIR=DIR puts everything below DIR and leaves users, owners and systemd alone (for packagers).
set -eu
# The service runs as another user than the one that installs.
umask 022
# `su` without "-" leaves these out.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

destdir=${DESTDIR:-}
checkout=$(cd "$(dirname "$0")/.." && pwd)
prefix=/opt/hawser
installed=$destdir$prefix
share=$destdir/usr/local/share
etc=$destdir/etc/hawser
# Goes before what the user is told to type.
sudo=${SUDO_USER:+sudo }

usage() {
  cat << 'END'
usage: install.sh local|remote               installs the gateway, or brings it up to date
       install.sh uninstall local|remote     stops and removes it, and keeps its configuration
       install.sh --help                     this text

"local" is the gateway for the router, "remote" the one for the VPS. In a checkout:

  npm ci && npm run build && sudo deploy/install.sh local

Programs go into /opt/hawser, a command into /usr/local/bin, its man page and completions into /usr/local/share, a unit
into /etc/systemd/system. The service's user is hawser. Files in /etc/hawser are never touched. From a newer checkout the
same command replaces the programs and restarts the service, if it runs.
END
}

fail() {
  echo "install.sh: $*" >&2
  exit "${code:-1}"
}

# --- What must be so before anything is touched.

check_root() {
  [ -n "$destdir" ] || [ "$(id -u)" = 0 ] || fail "needs root: sudo $0 $*"
}

check_requirements() {
  [ "$checkout" != "$prefix" ] ||
    fail "this is the installed copy, which only uninstalls; in a checkout: npm ci && npm run build && sudo deploy/install.sh $role"
  if ! command -v npm > /dev/null; then
    # One of the user's own (nvm) is not on the PATH that sudo gives.
    [ -z "${SUDO_USER:-}" ] ||
      fail "root has no npm on its PATH. If you have one: sudo env \"PATH=\$PATH\" $0 $role. If not: sudo apt install npm"
    fail "npm was not found: apt install npm"
  fi
  if [ "$role" = local ] && [ -z "$destdir" ]; then
    for tool in iptables ip6tables; do
      command -v "$tool" > /dev/null || fail "$tool was not found: ${sudo}apt install iptables"
    done
  fi
  for each in $roles; do
    [ -f "$checkout/packages/gateway-$each/dist/cli.js" ] && [ -f "$checkout/man/hawser-$each.1" ] ||
      fail "not built yet: npm ci && npm run build"
  done
  check_node "$checkout"
}

# With the PATH that systemd gives to services: a Node of the user's own will not do.
check_node() {
  (
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    "$1/tools/with-node" node --version > /dev/null
  ) || exit 1
}

# --- Installation.

install_gateway() {
  role=$1
  check_root "$role"
  before=$(installed_roles)
  # Both gateways run on the same programs: one that is here already changes with them.
  roles=$(printf '%s\n' $before "$role" | sort -u)
  check_requirements
  version=$(checkout_version)
  old=$(cat "$installed/VERSION" 2> /dev/null || echo "an older version")
  put_programs
  for each in $roles; do put_command "$each"; done
  put_system
  if [ "$before" ]; then echo "Upgraded $prefix from $old to $version."; fi
  if [ "$before" != "$roles" ]; then echo "Installed hawser-$role $version in $prefix."; fi
  for each in $before; do restart "$each"; done
  tell_what_is_left
}

# The gateways that are installed here.
installed_roles() {
  for each in local remote; do
    if [ -e "$destdir/usr/local/bin/hawser-$each" ]; then echo "$each"; fi
  done
}

# The checkout's version, with its commit where there is one.
checkout_version() {
  number=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$checkout/package.json")
  commit=$(git -c safe.directory="$checkout" -C "$checkout" rev-parse --short HEAD 2> /dev/null) || commit=
  echo "$number${commit:+ ($commit)}"
}

# Beside the old ones, so that a failure half-way leaves those as they are.
put_programs() {
  new=$installed.new
  trap 'rm -rf "$new"' EXIT
  rm -rf "$new"
  mkdir -p "$new/deploy" "$new/tools"
  cp "$checkout/package.json" "$checkout/package-lock.json" "$checkout/LICENSE" "$new/"
  cp "$checkout/tools/with-node" "$new/tools/"
  cp "$checkout"/deploy/*.toml "$checkout"/deploy/*.conf "$checkout/deploy/install.sh" "$new/deploy/"
  for package in "$checkout"/packages/*/; do
    target=$new/packages/$(basename "$package")
    mkdir -p "$target"
    cp "$package/package.json" "$target/"
    for part in bin dist assets; do
      if [ -d "$package/$part" ]; then cp -R "$package/$part" "$target/"; fi
    done
  done
  echo "$version" > "$new/VERSION"
  (cd "$new" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error) ||
    fail "npm could not install the programs' packages, as said above; nothing has changed"
  check_node "$new"

  rm -rf "$installed.old"
  if [ -e "$installed" ]; then mv "$installed" "$installed.old"; fi
  mv "$new" "$installed"
  rm -rf "$installed.old"
}

# put_command ROLE: what one gateway has of its own.
put_command() {
  mkdir -p "$destdir/usr/local/bin" "$destdir/etc/systemd/system" "$etc"
  command=$destdir/usr/local/bin/hawser-$1
  program=$prefix/packages/gateway-$1/bin/hawser-$1
  rm -f "$command.new"
  cat > "$command.new" << END
#!/bin/sh
exec $program "\$@"
END
  chmod 755 "$command.new"
  mv "$command.new" "$command"
  mkdir -p "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
    "$share/fish/vendor_completions.d"
  install -m 644 "$checkout/man/hawser-$1.1" "$share/man/man1/hawser-$1.1"
  put_completion bash "$share/bash-completion/completions/hawser-$1"
  put_completion zsh "$share/zsh/site-functions/_hawser-$1"
  put_completion fish "$share/fish/vendor_completions.d/hawser-$1.fish"
  install -m 644 "$checkout/deploy/hawser-$1.service" "$destdir/etc/systemd/system/hawser-$1.service"
}

# put_completion SHELL FILE: unlike ">", install(1) follows no link that has the name.
put_completion() {
  "$destdir$program" completion "$1" > "$installed/completion"
  install -m 644 "$installed/completion" "$2"
  rm "$installed/completion"
}

put_system() {
  [ -z "$destdir" ] || return 0
  if ! id hawser > /dev/null 2>&1; then
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hawser
  fi
  # The local gateway only reads what is in it. The remote one takes old keys out of peers/NAME.toml by itself: there its user
  # owns the directory, and what root creates in it by `hawser-remote init` and `pair`.
  owner=root
  case " $(echo $roles) " in *" remote "*) owner=hawser ;; esac
  chown "$owner:hawser" /etc/hawser
  chmod 750 /etc/hawser
  if has_systemd; then systemctl daemon-reload; fi
}

has_systemd() {
  [ -z "$destdir" ] && [ -d /run/systemd/system ]
}

is_running() {
  has_systemd && systemctl --quiet is-active "hawser-$1"
}

# restart ROLE: a configuration that the new version refuses would take the house off line.
restart() {
  is_running "$1" || return 0
  if "/usr/local/bin/hawser-$1" check -c "/etc/hawser/$1.toml" > /dev/null; then
    systemctl restart "hawser-$1"
    echo "Restarted hawser-$1."
  else
    echo "hawser-$1 was not restarted: the new version refuses its configuration, as said above."
    echo "Mend that, then: ${sudo}systemctl restart hawser-$1"
  fi
}

# Nothing, once the service runs.
tell_what_is_left() {
  if is_running "$role"; then return 0; fi
  echo "What is left to do:"
  if [ ! -e "$etc/$role.toml" ]; then tell_configuration; fi
  if [ "$role" = local ]; then echo "  ${sudo}hawser-local doctor -c /etc/hawser/local.toml"; fi
  echo "  ${sudo}systemctl enable --now hawser-$role"
}

# None of these commands overwrites a file.
tell_configuration() {
  if [ "$role" = remote ]; then
    cat << END
  ${sudo}hawser-remote init -c /etc/hawser/remote.toml --listen '[::]:4433' --advertise PUBLIC-ADDRESS:4433
  ${sudo}hawser-remote pair home -c /etc/hawser/remote.toml       (prints the pairing line for the router)
END
  else
    cat << END
  ${sudo}sh -c '[ -e /etc/hawser/local.toml ] || install -g hawser -m 640 $prefix/deploy/local.example.toml /etc/hawser/local.toml'
  ${sudo}sh -c '[ -e /etc/hawser/pairing.txt ] || install -g hawser -m 640 /dev/null /etc/hawser/pairing.txt'
  then write the pairing line into pairing.txt, your lines into local.toml, and:
END
  fi
}

# --- Removal.

uninstall_gateway() {
  role=$1
  check_root uninstall "$role"
  unit=$destdir/etc/systemd/system/hawser-$role.service
  command=$destdir/usr/local/bin/hawser-$role
  if [ ! -e "$command" ] && [ ! -e "$unit" ]; then
    echo "hawser-$role is not installed."
    return 0
  fi
  # Its stop takes the redirect rules away.
  if has_systemd && [ -e "$unit" ]; then
    systemctl disable --now "hawser-$role" || fail "hawser-$role could not be stopped, as said above; the programs are still there"
  fi
  if [ "$role" = local ] && [ -z "$destdir" ]; then clear_rules; fi
  rm -f "$command" "$unit" "$share/man/man1/hawser-$role.1" "$share/bash-completion/completions/hawser-$role" \
    "$share/zsh/site-functions/_hawser-$role" "$share/fish/vendor_completions.d/hawser-$role.fish"
  if has_systemd; then systemctl daemon-reload; fi
  others=$(installed_roles)
  if [ -z "$others" ]; then rm -rf "$installed"; fi
  echo "Removed hawser-$role."
  tell_what_is_kept
}

# One that was killed leaves them, and a redirect to a port where nobody listens cuts the LAN off.
clear_rules() {
  # Without these there are none.
  if [ ! -e "$command" ] || ! command -v iptables > /dev/null; then return 0; fi
  "$command" rules clear -c /etc/hawser/local.toml ||
    fail "the redirect rules could not be removed, as said above; the programs are still there"
}

tell_what_is_kept() {
  if [ "$others" ]; then
    echo "Kept: $prefix, on which hawser-$others runs, and /etc/hawser/$role.toml."
    return
  fi
  kept=
  for folder in /etc/hawser /var/lib/hawser "/etc/systemd/system/hawser-$role.service.d"; do
    if [ -e "$destdir$folder" ]; then kept="$kept $folder"; fi
  done
  [ "$kept" ] || return 0
  echo "Kept:$kept. To remove that, and the user:"
  echo "  ${sudo}rm -r$kept && ${sudo}userdel hawser"
}

case "$#:${1:-}:${2:-}" in
  1:--help: | 1:-h:) usage ;;
  1:local: | 1:remote:) install_gateway "$1" ;;
  2:uninstall:local | 2:uninstall:remote) uninstall_gateway "$2" ;;
  *)
    usage >&2
    exit 2
    ;;
esac
