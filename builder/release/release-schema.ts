import * as z from "zod";
import { filesystemTypes, layoutSchema, volumeSchema } from "../../format/layout.ts";
import { keepOldSystemWords, networkFamilies } from "../../format/manifest.ts";
import { platforms } from "../../format/platforms.ts";
import { GiB, MiB, parseSize } from "../../format/sizes.ts";
import { selinuxWords } from "../plan/judge-selinux.ts";
import { defaultVolumes } from "./default-layout.ts";

/** What is allowed at a key is said once, by `describe`, and shown with every problem at that key. */
const size = z
  .union([z.string(), z.number()])
  .transform((value, context) => {
    const bytes = parseSize(value);
    if (bytes !== undefined) return bytes;
    context.issues.push({ code: "custom", message: `${JSON.stringify(value)} is not a size`, input: value });
    return z.NEVER;
  })
  .describe("a size such as 512 MiB, 1.5 GiB, 2G, or a number of bytes");

const word = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line of printable text")
  .describe("one line of text, 1 to 100 characters");

const path = z
  .string()
  .min(1)
  .max(4096)
  .refine((text) => !text.includes("\0"), "a path cannot contain NUL")
  .describe("a path; relative ones start at the folder of the release file");

const pattern = z
  .string()
  .regex(/^\/[^\u0000]*$/, "must start with /")
  .describe("an absolute path in the root filesystem; * within a name, ** over folders");

const volume = z.strictObject({
  name: volumeSchema.shape.name.describe("letters, digits and _, starting with a letter, at most 31"),
  size,
  filesystem: z
    .enum(filesystemTypes)
    .default("ext4")
    .describe(`one of ${filesystemTypes.join(", ")}`),
  mountPoint: volumeSchema.shape.mountPoint.describe("an absolute path; both slots have /"),
  slot: z.enum(["A", "B"]).optional().describe("A or B, on root volumes only"),
  growWeight: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe("a whole number up to 1000: share of the free space after commit, 0 keeps the size"),
});

const layout = z
  .strictObject({
    biosBootSize: size.prefault(2 * MiB),
    bootSize: size.prefault(1 * GiB),
    volumeGroup: layoutSchema.shape.volumeGroup
      .default("VA")
      .describe("letters, digits and _, starting with a letter, at most 31"),
    extentSize: size.prefault(4 * MiB),
    volumes: z.array(volume).min(1).max(32).default(defaultVolumes).describe("a list of 1 to 32 volumes"),
  })
  .describe("the target disk: biosBootSize, bootSize, volumeGroup, extentSize, volumes");

/** release.yaml as it is written; paths still relative. Documented in docs/release-yaml.md. */
export const releaseSchema = z.strictObject({
  name: word,
  version: word.describe('one line of text; quote numbers: "2026.10"'),
  compatible: word,
  counter: z.int().min(0).describe("a whole number that never falls from release to release"),
  sign: z.strictObject({ key: path }).describe("{ key: FILE }, a private key made by `dualroot keygen`"),
  trustedKeys: z.array(path).min(1).max(32).describe("a list of public key files made by `dualroot keygen`"),
  rootfs: z
    .strictObject({
      source: path.describe(
        "a folder, a tar (plain, gzip, xz, zstd), an OCI layout, a `docker save` archive, a disk image or an OVA",
      ),
      allowBackingFile: z
        .boolean()
        .default(false)
        .describe("true: a disk image may name other files (backing files), which are read then"),
      exclude: z
        .array(pattern)
        .max(1000)
        .default([])
        .describe("a list of path patterns left out besides the default list"),
      keep: z
        .array(pattern)
        .max(1000)
        .default([])
        .describe("a list of path patterns kept in spite of the default list"),
      overlay: path.optional().describe("a folder laid over the root filesystem"),
    })
    .describe("{ source, allowBackingFile, exclude, keep, overlay }"),
  kernel: z
    .strictObject({
      image: path,
      modules: path.describe("the folder lib/modules/VERSION that belongs to the image"),
    })
    .optional()
    .describe("{ image, modules }: kernel of the ramdisk; default: the newest in the root filesystem"),
  target: z
    .strictObject({
      commandLine: z
        .string()
        .max(1000)
        .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line")
        .default("")
        .describe("words for the target's kernel; root=, rauc.slot= and panic= are dualroot's"),
      network: z
        .enum(["auto", ...networkFamilies])
        .default("auto")
        .describe(`auto, or one of ${networkFamilies.join(", ")}`),
      selinux: z
        .enum(selinuxWords)
        .optional()
        .describe(`one of ${selinuxWords.join(", ")}; only needed where the source's labels are lost`),
    })
    .prefault({})
    .describe("{ commandLine, network, selinux }"),
  platforms: z
    .array(z.enum(platforms).describe(`one of ${platforms.join(", ")}`))
    .min(1)
    .refine((names) => new Set(names).size === names.length, "a platform is named twice")
    .optional()
    .describe(`a list of machines it has to run on: ${platforms.join(", ")}`),
  layout: layout.prefault({}),
  preserve: z
    .array(pattern)
    .max(1000)
    .default([])
    .describe("a list of absolute paths carried over from the old system; * within a name"),
  keepOldSystem: z
    .enum(keepOldSystemWords)
    .default("auto")
    .describe(`one of ${keepOldSystemWords.join(", ")}: does the old system live on as slot B`),
  requirements: z
    .strictObject({ memory: size.optional(), disk: size.optional() })
    .prefault({})
    .describe("{ memory, disk }: least a gateway must have"),
  rauc: z
    .strictObject({
      keyring: path.describe("a PEM file with the certificates that RAUC trusts"),
      bundle: z
        .strictObject({
          certificate: path.describe("the signer's certificate, a PEM file"),
          key: path.describe("the signer's private key, a PEM file or a PKCS#11 URI"),
          intermediates: z
            .array(path)
            .max(16)
            .default([])
            .describe("a list of PEM files between signer and keyring"),
        })
        .optional()
        .describe("{ certificate, key, intermediates }: who signs the bundle of `build --rauc-bundle`"),
    })
    .optional()
    .describe("{ keyring, bundle }: lets RAUC upgrade the converted gateway too"),
  compression: z
    .strictObject({
      xzLevel: z.int().min(0).max(9).default(6).describe("a whole number, 0 to 9"),
      blockSize: size.prefault(16 * MiB),
    })
    .prefault({})
    .describe("{ xzLevel, blockSize } of rootfs.tar.xz"),
});

export type ReleaseDocument = z.infer<typeof releaseSchema>;
