import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../../../../format/digest.ts";

export interface LayerRecipe {
  /** Run by bash in an empty folder that becomes the layer. */
  script: string;
  compression?: "gzip" | "zstd";
}

export interface LayerFile {
  path: string;
  stored: string;
  plain: string;
  size: number;
}

/** Layers as an engine makes them: sorted tars with attributes in pax headers, compressed by the real tools. */
export function makeLayers(folder: string, recipes: readonly LayerRecipe[]): LayerFile[] {
  return recipes.map(({ script, compression }) => {
    const work = mkdtempSync(join(folder, "layer-"));
    mkdirSync(join(work, "tree"));
    execFileSync("bash", ["--norc", "-euc", script], { cwd: join(work, "tree") });
    const tar = join(work, "layer.tar");
    const options = ["--sort=name", "--format=pax", "--numeric-owner", "--xattrs", "--xattrs-include=*"];
    execFileSync("tar", ["-C", join(work, "tree"), ...options, "--mtime=@1600000000", "-cf", tar, "."]);
    const plain = sha256Hex(readFileSync(tar));
    if (compression) {
      const output = execFileSync(compression, ["-c", "-q", tar], { maxBuffer: 64 * 1024 * 1024 });
      writeFileSync(tar, output);
    }
    const bytes = readFileSync(tar);
    return { path: tar, stored: sha256Hex(bytes), plain, size: bytes.length };
  });
}

/** An OCI layout in a new folder; `change` may alter the JSON before it is written. */
export function makeLayout(
  folder: string,
  layers: readonly LayerFile[],
  change: { config?: object; manifest?: object; index?: (manifest: object, layout: string) => object } = {},
): string {
  const layout = mkdtempSync(join(folder, "oci-"));
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const blob = (value: object) => {
    const bytes = Buffer.from(JSON.stringify(value));
    writeFileSync(join(layout, "blobs/sha256", sha256Hex(bytes)), bytes);
    return { digest: `sha256:${sha256Hex(bytes)}`, size: bytes.length };
  };
  for (const layer of layers)
    writeFileSync(join(layout, "blobs/sha256", layer.stored), readFileSync(layer.path));
  const config = blob({
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: layers.map(({ plain }) => `sha256:${plain}`) },
    ...change.config,
  });
  const manifest = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    ...blob({
      schemaVersion: 2,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: layers.map(({ stored, size }) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: `sha256:${stored}`,
        size,
      })),
      ...change.manifest,
    }),
  };
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const index = change.index?.(manifest, layout) ?? { schemaVersion: 2, manifests: [manifest] };
  writeFileSync(join(layout, "index.json"), JSON.stringify(index));
  return layout;
}

/** What `docker save` wrote before it wrote OCI layouts as well. */
export function makeDockerArchive(folder: string, layers: readonly LayerFile[], images = 1): string {
  const work = mkdtempSync(join(folder, "docker-"));
  const config = JSON.stringify({
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: layers.map(({ plain }) => `sha256:${plain}`) },
  });
  const configName = `${sha256Hex(config)}.json`;
  writeFileSync(join(work, configName), config);
  const names = layers.map(({ stored, path }) => {
    mkdirSync(join(work, stored));
    writeFileSync(join(work, stored, "layer.tar"), readFileSync(path));
    return `${stored}/layer.tar`;
  });
  const image = { Config: configName, RepoTags: ["demo:1"], Layers: names };
  writeFileSync(join(work, "manifest.json"), JSON.stringify(Array.from({ length: images }, () => image)));
  const archive = join(folder, `docker-${configName}.tar`);
  execFileSync("sh", ["-c", 'tar --sort=name -cf "$0" *', `${archive}.new`], { cwd: work });
  renameSync(`${archive}.new`, archive);
  return archive;
}
