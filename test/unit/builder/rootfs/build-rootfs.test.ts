import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { xzBlocks } from "../../../../builder/package/xz-blocks.ts";
import { selectEntries } from "../../../../builder/rootfs/select-entries.ts";
import { walk } from "../../../../builder/rootfs/walk.ts";
import { sha256Hex } from "../../../../format/digest.ts";
import { packSource } from "../inputs/pack-source.ts";

const root = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "dualroot-rootfs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shell(script: string, cwd: string): string {
  return execFileSync("bash", ["--norc", "-euc", script], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
}

/** Everything a gateway's root filesystem may have that a careless archiver loses. */
const makeSource = String.raw`
mkdir -p etc usr/bin usr/lib/systemd var/log/app dev-nodes acl proc data image
ln -s usr/lib lib
printf 'old id\n' > etc/machine-id
printf 'log\n' > var/log/app/app.log
printf 'pid\n' > proc/1
printf 'data' > usr/bin/program; chmod 4755 usr/bin/program; chown 1234:5678 usr/bin/program
setcap cap_net_raw+ep usr/bin/program
ln usr/bin/program usr/bin/same
chmod 1777 var; chown 4000000000:3 var/log
mknod dev-nodes/null c 1 3; mknod dev-nodes/disk b 8 1; mkfifo dev-nodes/fifo
setfattr -n security.selinux -v system_u:object_r:etc_t:s0 etc
setfattr -h -n security.selinux -v system_u:object_r:lib_t:s0 lib
printf x > acl/file; setfattr -n user.binary -v 0xff00fe0a3d acl/file; setfacl -m u:1:rw,u:4242:r acl/file
setfacl -d -m u:1:rx acl; printf y > acl/without; setfacl -b acl/without
truncate -s 10M sparse; printf end | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
mkdir odd
for name in 'with space' $'with\nnewline' 'with\backslash' 'with\\nboth' $'latin1-\xe9' 'ünïcödé ☃' -rf $(printf 'n%.0s' {1..255}); do printf '%s' "$name" > "odd/$name"; done
find . -exec touch -h -d @1700000000.123456789 {} +
`;

/** One line per entry: everything that must survive. */
const describeTree = String.raw`
find . -mindepth 1 \( -path ./usr/lib/dualroot -o -path ./usr/lib/systemd -o -path ./etc -o -path ./boot -o -path ./usr/local -o -path ./usr/sbin -o -path ./usr/lib/kernel -o -path ./usr/bin/dualroot-status -o -path ./var/log/app/app.log -o -path ./proc/1 \) -prune -o -printf '%p %y %m %U %G %s %n %l %Ts\n' | grep -avE '^\./(usr|usr/lib|usr/bin|\.) d' | sort
find . -type f -not -path './etc/*' -not -path './usr/lib/*' -not -path './usr/local/*' -not -path './usr/sbin/*' -not -name dualroot-status -not -name app.log -not -path './proc/*' -print0 | sort -z | xargs -0 sha256sum
getfattr -h -R -d -m - -e hex . 2>/dev/null | grep -v '^$' ; getfacl -n -R -p acl; stat -c '%n %t %T' dev-nodes/*
`;

async function build(output: string, from: string, cacheFolder = join(folder, "cache")) {
  return await packSource(from, output, { scratch: mkdtempSync(join(folder, "scratch-")), cacheFolder });
}

/** The same tree as people hand it over. Each script makes `$1` from the folder `$0`. */
const kinds: [string, string][] = [
  ["folder", 'ln -s "$0" "$1"'],
  ["pax tar", 'tar -C "$0" --format=pax --numeric-owner --xattrs --xattrs-include="*" --sparse -cf "$1" .'],
  [
    "pax tar with its older sparse format, zstd",
    'tar -C "$0" --format=pax --sparse-version=0.1 --numeric-owner --xattrs --xattrs-include="*" --sparse -cf - . | zstd -q -o "$1"',
  ],
  [
    "docker archive of two layers",
    `cd "$(dirname "$1")"; mkdir layers; cd layers
     tar -C "$0" --numeric-owner --xattrs --xattrs-include="*" --sparse --exclude=./odd --exclude=./usr -cf a.tar .
     tar -C "$0" --numeric-owner --xattrs --xattrs-include="*" -cf b.tar ./odd ./usr
     ids="$(sha256sum a.tar b.tar | sed 's/ .*//; s/.*/"sha256:&"/' | paste -sd,)"
     printf '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[%s]}}' "$ids" >config.json
     printf '[{"Config":"config.json","RepoTags":["demo:1"],"Layers":["a.tar","b.tar"]}]' >manifest.json
     tar -cf "$1" manifest.json config.json a.tar b.tar`,
  ],
];

// Device nodes, other people's files and security attributes need root, as `dualroot build` does.
describe.runIf(root).each(kinds)("rootfs.tar.xz from a %s", (kind, make) => {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-rootfs-"));
  const [source, input, extracted, archive] = ["source", "input", "extracted", "rootfs.tar.xz"].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let result: Awaited<ReturnType<typeof build>>;
  beforeAll(async () => {
    mkdirSync(source);
    shell(makeSource, source);
    execFileSync("bash", ["--norc", "-euc", make, source, input]);
    result = await build(archive, input);
    mkdirSync(extracted);
    // As docs/conventions.md says.
    execFileSync("tar", [
      "-x",
      "-p",
      "--same-owner",
      "--numeric-owner",
      "--xattrs",
      "--xattrs-include=*",
      "-C",
      extracted,
      "-f",
      archive,
    ]);
  });

  it("brings back owners, modes, times, attributes, ACLs, links, holes, devices and odd names", () => {
    const before = shell(describeTree, source);
    expect(before).toContain("security.capability=");
    expect(before).toContain("security.selinux=");
    expect(before).toContain("user:4242:r--");
    expect(before).toContain("default:user:1:r-x");
    expect(shell(describeTree, extracted)).toBe(before);
    expect(shell("stat -c %i usr/bin/program usr/bin/same | uniq | wc -l", extracted).trim()).toBe("1");
    expect(Number(shell("stat -c %b sparse", extracted))).toBeLessThan(100);
    expect(shell("getfattr -n security.selinux --only-values etc", extracted)).toBe(
      "system_u:object_r:etc_t:s0",
    );
  });

  it("leaves out logs, kernel files and machine identity, and keeps folders", () => {
    expect(shell("find var/log proc | sort", extracted)).toBe("proc\nvar/log\nvar/log/app\n");
    expect(shell("stat -c '%s %a' etc/machine-id", extracted)).toBe("0 444\n");
  });

  it("lays the overlay, owned by root, at the places that links lead to", () => {
    expect(shell("stat -c '%u %g %a' usr/lib/dualroot/select-kernel", extracted)).toBe("0 0 755\n");
    expect(shell("stat -c '%F' lib data image boot/dualroot", extracted)).toBe(
      "symbolic link\ndirectory\ndirectory\ndirectory\n",
    );
  });

  it("has an index that sha256sum agrees with, file by file", () => {
    const check = spawnSync(
      "sha256sum",
      ["--check", "--strict", "--quiet", "usr/lib/dualroot/rootfs.sha256"],
      { cwd: extracted, encoding: "utf8" },
    );
    expect(check).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const index = readFileSync(join(extracted, "usr/lib/dualroot/rootfs.sha256"));
    expect(sha256Hex(index)).toBe(result.indexSha256);
    const files = Number(shell("find . -type f -printf x | wc -c", extracted));
    expect(index.toString("latin1").trimEnd().split("\n")).toHaveLength(files - 1);
  });

  it("is split into blocks, and described by its digest and number of entries", async () => {
    const list = execFileSync("xz", ["--robot", "--list", archive], { encoding: "utf8" });
    const totals = /^totals\t\d+\t(\d+)\t\d+\t(\d+)/m.exec(list)!;
    expect(await xzBlocks(archive)).toEqual({
      blocks: Number(totals[1]),
      uncompressedBytes: Number(totals[2]),
    });
    expect(result.sha256).toBe(sha256Hex(readFileSync(archive)));
    const entries = execFileSync("sh", ["-c", 'tar --quoting-style=escape -tf "$0" | wc -l', archive], {
      encoding: "utf8",
    });
    // The top folder is in the archive but is no entry of the root filesystem.
    expect(Number(entries)).toBe(result.entries + 1);
  });

  it.runIf(kind === "folder")(
    "is the same to the byte from another copy, under another umask, time zone and locale",
    () => {
      const copy = join(folder, "a copy");
      mkdirSync(copy);
      execFileSync("sh", [
        "-c",
        'tar -C "$1" --xattrs --xattrs-include="*" --sparse -cf - . | tar -C "$2" -xp --same-owner --xattrs --xattrs-include="*"',
        "sh",
        source,
        copy,
      ]);
      const again = join(folder, "again.tar.xz");
      const script = join(folder, "again.mts");
      writeFileSync(
        script,
        `import { packSource } from ${JSON.stringify(fileURLToPath(new URL("../inputs/pack-source.ts", import.meta.url)))};
await packSource(${JSON.stringify(copy)}, ${JSON.stringify(again)}, ${JSON.stringify({ scratch: join(folder, "scratch"), cacheFolder: join(folder, "other cache") })});`,
      );
      const tsx = fileURLToPath(new URL("../../../../node_modules/.bin/tsx", import.meta.url));
      execFileSync("sh", ["-c", 'umask 077; exec "$@"', "sh", tsx, script], {
        env: {
          ...process.env,
          TZ: "Asia/Tokyo",
          LC_ALL: "C.UTF-8",
          XZ_OPT: "-9",
          TAR_OPTIONS: "--owner=nobody",
        },
        stdio: "inherit",
      });
      expect(sha256Hex(readFileSync(again))).toBe(result.sha256);
    },
  );
});

describe("choosing what to carry", () => {
  it("lets the release exclude and keep", async () => {
    const tree = join(folder, "choice");
    for (const name of ["var/log/app", "opt/big", "var/cache/apt/archives"])
      mkdirSync(join(tree, name), { recursive: true });
    writeFileSync(join(tree, "var/log/app/keep.log"), "x");
    writeFileSync(join(tree, "var/log/app/drop.log"), "x");
    writeFileSync(join(tree, "opt/big/file"), "x");
    writeFileSync(join(tree, "var/cache/apt/archives/x.deb"), "x");
    const { kept, left } = selectEntries(await walk(tree), {
      exclude: ["/opt/*"],
      keep: ["/var/log/app/keep.*"],
    });
    expect(kept.map((entry) => entry.path)).toEqual([
      "opt",
      "var",
      "var/cache",
      "var/cache/apt",
      "var/cache/apt/archives",
      "var/log",
      "var/log/app",
      "var/log/app/keep.log",
    ]);
    expect(left.map(({ pattern, entries }) => `${pattern} ${entries}`).toSorted()).toEqual([
      "/opt/* 2",
      "/var/cache/apt/** 1",
      "/var/log/** 1",
    ]);
  });
});
