# Finds a JDK 25 or newer; read by the launchers. find_jdk prints its home, or says what is missing and fails.

# The feature version of a JDK, read from its release file: starting it to ask would take longer than the whole start.
feature() {
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  [ -n "$version" ] && [ "$version" -ge 25 ]
}

candidates() {
  printf '%s\n' "${SKULK_JAVA_HOME:-}" "${JAVA_HOME:-}"
  on_path=$(command -v java 2>/dev/null || true)
  if [ -n "$on_path" ]; then
    on_path=$(readlink -f "$on_path" 2>/dev/null || printf '%s' "$on_path")
    printf '%s\n' "${on_path%/bin/java}"
  fi
  for home in /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/java/* "$HOME"/.sdkman/candidates/java/25* "$HOME"/.jdks/*25* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    printf '%s\n' "$home"
  done
  if [ -x /usr/libexec/java_home ]; then /usr/libexec/java_home -v 25+ 2>/dev/null || true; fi
}

find_jdk() {
  found=$(candidates | while IFS= read -r home; do
    if [ -n "$home" ] && feature "$home"; then
      printf '%s' "$home"
      break
    fi
  done)
  if [ -z "$found" ]; then
    echo "skulk: needs a JDK 25 or newer and found none; install one (for example openjdk-25-jdk-headless) or set SKULK_JAVA_HOME" >&2
    return 1
  fi
  printf '%s' "$found"
}
