import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";

const run = createRun(silent, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });

/** A merged `/usr`, as every system of the last ten years has; programs of this host then run in it as they do here. */
const script = `
  tree=$1; shift
  mkdir -p "$tree"/usr/bin "$tree"/usr/sbin "$tree"/usr/lib "$tree"/usr/lib64
  for name in bin sbin lib lib64; do [ -e "$tree/$name" ] || ln -s "usr/$name" "$tree/$name"; done
  for program in "$@"; do
    path=$(readlink -f "$(command -v "$program")")
    install -D "$path" "$tree/usr/bin/$program"
    # A shell script has no libraries.
    for library in $(ldd "$path" 2>/dev/null | grep -o '/[^ ]*'); do
      [ -e "$tree$library" ] || install -D "$library" "$tree$library"
    done
  done
  for applet in $("$tree/usr/bin/busybox" --list); do
    [ -e "$tree/usr/bin/$applet" ] || [ -e "$tree/usr/sbin/$applet" ] || ln -s busybox "$tree/usr/bin/$applet"
  done
  ln -sf ../bin/busybox "$tree/usr/sbin/modprobe"`;

/** Lays busybox with links for all its applets, and this host's own `programs` with their libraries, into a tree. */
export async function layPrograms(tree: string, programs: readonly string[] = []): Promise<void> {
  await run("sh", ["-euc", script, "lay", tree, "busybox", ...programs]);
}
