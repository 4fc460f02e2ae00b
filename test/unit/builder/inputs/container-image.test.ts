import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../../format/digest.ts";
import { UserError } from "../../../../format/errors.ts";
import { makeDockerArchive, makeLayers, makeLayout, type LayerFile } from "./image-fixture.ts";
import { packSource } from "./pack-source.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-image-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipes = [
  {
    // Below: what the layers above hide, replace and link to.
    script: String.raw`
mkdir -p bin usr/lib gone/deep opaque/old merged both data
printf 'first\n' >data/file; ln data/file data/link; printf 'stays\n' >data/kept
printf x >gone/deep/file; printf x >opaque/old/file; printf x >merged/lower; printf x >both/lower
ln -s usr/lib lib; printf 'a file\n' >becomes-folder; mkdir becomes-file; printf x >becomes-file/child
printf 'program' >bin/program; setfattr -n user.bytes -v 0x00ff0a3d bin/program`,
  },
  {
    script: String.raw`
mkdir -p opaque both lib merged becomes-folder data
rmdir lib; mkdir -p usr/lib; printf 'library' >usr/lib/new
touch .wh.gone opaque/.wh..wh..opq both/.wh.lower; printf new >opaque/new; printf new >both/upper; printf upper >merged/upper
printf x >becomes-folder/inside; printf 'now a file\n' >becomes-file
chmod 700 merged; touch merged/.wh..wh.plnk`,
    compression: "gzip" as const,
  },
  // The first name of a hard link goes; the content lives on under the other.
  { script: "mkdir data; printf 'second\\n' >data/file", compression: "zstd" as const },
];
let layers: LayerFile[];
beforeAll(() => {
  layers = makeLayers(folder, recipes);
});

let number = 0;
async function pack(source: string): Promise<string> {
  const output = join(folder, `packed-${++number}.tar.xz`);
  await packSource(source, output, {
    scratch: mkdtempSync(join(folder, "scratch-")),
    cacheFolder: join(folder, `cache-${number}`),
  });
  return output;
}

function contentOf(archive: string, path: string): string {
  return execFileSync("tar", ["-xOf", archive, path], { encoding: "utf8" });
}

/** Names in the archive that the layers brought. */
function names(archive: string): string[] {
  return execFileSync("tar", ["-tf", archive], { encoding: "utf8" })
    .split("\n")
    .filter((name) => /^\.\/(?:bin|lib$|usr\/lib\/new|gone|opaque|merged|both|data|becomes)/.test(name))
    .sort();
}

async function refusal(source: string): Promise<{ code: string; message: string }> {
  try {
    await pack(source);
  } catch (error) {
    if (error instanceof UserError) return error.problems[0]!;
    throw error;
  }
  throw new Error("it was taken");
}

const expected = [
  "./becomes-file",
  "./becomes-folder/",
  "./becomes-folder/inside",
  "./bin/",
  "./bin/program",
  "./both/",
  "./both/upper",
  "./data/",
  "./data/file",
  "./data/kept",
  "./data/link",
  "./lib",
  "./merged/",
  "./merged/lower",
  "./merged/upper",
  "./opaque/",
  "./opaque/new",
  "./usr/lib/new",
];

describe("a container image", () => {
  const kinds: [string, () => string][] = [
    ["OCI layout", () => makeLayout(folder, layers)],
    [
      "OCI layout in a tar, as docker save writes it now",
      () => {
        const layout = makeLayout(folder, layers);
        writeFileSync(join(layout, "manifest.json"), "[]");
        execFileSync("sh", [
          "-c",
          'tar -C "$0" -cf "$0.tar" blobs index.json manifest.json oci-layout',
          layout,
        ]);
        return `${layout}.tar`;
      },
    ],
    ["docker archive", () => makeDockerArchive(folder, layers)],
    [
      "compressed docker archive",
      () => {
        const archive = makeDockerArchive(folder, layers);
        execFileSync("gzip", ["-kf", archive]);
        return `${archive}.gz`;
      },
    ],
    [
      "layout with an index inside, an attestation and another platform",
      () =>
        makeLayout(folder, layers, {
          index: (manifest) => ({
            schemaVersion: 2,
            manifests: [
              { ...manifest, platform: { os: "linux", architecture: "amd64" } },
              {
                ...manifest,
                digest: `sha256:${"0".repeat(64)}`,
                platform: { os: "linux", architecture: "arm64" },
              },
              {
                ...manifest,
                digest: `sha256:${"1".repeat(64)}`,
                annotations: { "vnd.docker.reference.type": "attestation-manifest" },
              },
            ],
          }),
        }),
    ],
  ];
  it.each(kinds)("is one tree: %s", async (_, make) => {
    const archive = await pack(make());
    expect(names(archive)).toEqual(expected);
    expect(contentOf(archive, "./data/file")).toBe("second\n");
    expect(contentOf(archive, "./data/link")).toBe("first\n");
    expect(contentOf(archive, "./becomes-file")).toBe("now a file\n");
    const listing = execFileSync("tar", ["--numeric-owner", "-tvf", archive], { encoding: "utf8" });
    expect(listing).toMatch(/^drwx------ .* \.\/merged\/$/m);
    expect(listing).toMatch(/^lrwxrwxrwx .* \.\/lib -> usr\/lib$/m);
    const attributes = execFileSync("tar", ["--xattrs", "--xattrs-include=*", "-tvvf", archive], {
      encoding: "utf8",
    });
    expect(attributes).toMatch(/\.\/bin\/program\n\s+x: 4 user\.bytes/);
  });

  it("gives the same bytes whichever way it is handed over", async () => {
    const [one, two] = [
      await pack(makeLayout(folder, layers)),
      await pack(makeDockerArchive(folder, layers)),
    ];
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
  });

  it("hides what lies behind a link of a lower layer, as engines do, and makes no folder for it", async () => {
    const archive = await pack(
      makeDockerArchive(
        folder,
        makeLayers(folder, [
          {
            script: `mkdir -p usr/lib usr/bin; printf x >usr/lib/secret; printf x >usr/lib/stays; ln -s usr/lib lib
              printf x >usr/bin/old; ln -s /usr/bin bin`,
          },
          { script: "" },
        ]).map((layer, index) => {
          if (index === 0) return layer;
          // A folder's own entry would replace the link.
          const files = ["lib/.wh.secret", "lib/added", "bin/.wh..wh..opq", "gone/.wh.x"];
          const script =
            'mkdir -p "$0.d/lib" "$0.d/bin" "$0.d/gone"; cd "$0.d"; touch "$@"; tar -cf "$0" "$@"';
          execFileSync("sh", ["-euc", script, layer.path, ...files]);
          const bytes = readFileSync(layer.path);
          return { ...layer, plain: sha256Hex(bytes), stored: sha256Hex(bytes), size: bytes.length };
        }),
      ),
    );
    const all = execFileSync("tar", ["-tf", archive], { encoding: "utf8" }).split("\n");
    expect(all.filter((name) => /secret|added|stays|old|gone|^\.\/(?:lib|bin)\b/.test(name)).sort()).toEqual([
      "./bin",
      "./lib",
      "./usr/lib/added",
      "./usr/lib/stays",
    ]);
  });

  const refusals: [string, string, () => string][] = [
    [
      "a layer that is missing in its docker archive",
      "image-blob-missing",
      () => {
        const archive = makeDockerArchive(folder, layers);
        execFileSync("tar", ["--delete", "-f", archive, `${layers[1]!.stored}/layer.tar`]);
        return archive;
      },
    ],
    [
      "a layer that is missing in its tar",
      "image-blob-missing",
      () => {
        const layout = makeLayout(folder, layers);
        const without = `--exclude=${layers[1]!.stored}`;
        execFileSync("tar", [
          "-C",
          layout,
          without,
          "-cf",
          `${layout}.tar`,
          "oci-layout",
          "index.json",
          "blobs",
        ]);
        return `${layout}.tar`;
      },
    ],
    [
      "a layer that is missing",
      "image-blob-missing",
      () => {
        const layout = makeLayout(folder, layers);
        rmSync(join(layout, "blobs/sha256", layers[1]!.stored));
        return layout;
      },
    ],
    [
      "a layer with other bytes",
      "image-digest-mismatch",
      () => {
        const layout = makeLayout(folder, layers);
        const blob = join(layout, "blobs/sha256", layers[0]!.stored);
        const bytes = readFileSync(blob);
        const at = bytes.indexOf("stays\n");
        bytes.write("STAYS\n", at);
        writeFileSync(blob, bytes);
        return layout;
      },
    ],
    [
      "a layer that is cut off",
      "image-damaged",
      () => {
        const layout = makeLayout(folder, layers);
        truncateSync(join(layout, "blobs/sha256", layers[0]!.stored), 1024);
        return layout;
      },
    ],
    [
      "a manifest that was changed",
      "image-digest-mismatch",
      () =>
        makeLayout(folder, layers, {
          index: (manifest, layout) => {
            const { digest } = manifest as { digest: string };
            const path = join(layout, "blobs/sha256", digest.slice(7));
            writeFileSync(path, readFileSync(path, "utf8").replace('"schemaVersion"', '"schemaVERSION"'));
            return { schemaVersion: 2, manifests: [manifest] };
          },
        }),
    ],
    [
      "layers that do not belong to its configuration",
      "image-digest-mismatch",
      () =>
        makeLayout(folder, layers, {
          config: {
            rootfs: { type: "layers", diff_ids: layers.map(() => `sha256:${"0".repeat(64)}`) },
          },
        }),
    ],
    [
      "another platform",
      "image-platform-wrong",
      () => makeLayout(folder, layers, { config: { architecture: "arm64" } }),
    ],
    ["two images", "image-ambiguous", () => makeDockerArchive(folder, layers, 2)],
    [
      "an encrypted layer",
      "image-layer-encrypted",
      () =>
        makeLayout(folder, layers, {
          manifest: {
            layers: layers.map(({ stored, size }) => ({
              mediaType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
              digest: `sha256:${stored}`,
              size,
            })),
          },
        }),
    ],
    [
      "an index that is no JSON",
      "image-damaged",
      () => {
        const layout = makeLayout(folder, layers);
        appendFileSync(join(layout, "index.json"), "}");
        return layout;
      },
    ],
    [
      "a layer that leads out of the tree",
      "rootfs-path-through-link",
      () =>
        makeDockerArchive(
          folder,
          makeLayers(folder, [
            { script: "mkdir away; printf x >away/file" },
            { script: "ln -s /tmp out" },
          ]).map((layer, index) => {
            if (index === 0) return layer;
            execFileSync("sh", [
              "-c",
              'cd "$(dirname "$0")" && mkdir -p other/out && printf x >other/out/file && tar -C other -rf "$0" ./out/file',
              layer.path,
            ]);
            const bytes = readFileSync(layer.path);
            const sha256 = execFileSync("sha256sum", [layer.path], { encoding: "utf8" }).slice(0, 64);
            return { ...layer, plain: sha256, stored: sha256, size: bytes.length };
          }),
        ),
    ],
  ];
  it.each(refusals)("is refused with %s", async (_, code, make) => {
    const found = await refusal(make());
    expect(found.code).toBe(code);
    expect(existsSync("/tmp/out")).toBe(false);
  });
});
