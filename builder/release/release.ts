import type { Layout } from "../../format/layout.ts";
import type { SelinuxWord } from "../plan/judge-selinux.ts";
import type { Platform } from "../../format/platforms.ts";
import type { KeepOldSystem, NetworkFamily } from "../../format/manifest.ts";

/** What lets RAUC upgrade a converted gateway. */
export interface RaucRelease {
  /** PEM. */
  keyringFile: string;
  /** `keyFile` may be a PKCS#11 URI. */
  bundle?: { certificateFile: string; keyFile: string; intermediateFiles: string[] };
}

/** A release as the builder uses it: validated, defaults filled in, sizes in bytes, paths absolute. */
export interface Release {
  name: string;
  version: string;
  compatible: string;
  counter: number;
  signingKeyFile: string;
  trustedKeyFiles: string[];
  rootfs: {
    source: string;
    allowBackingFile: boolean;
    exclude: string[];
    keep: string[];
    overlay?: string;
  };
  kernel?: { image: string; modules: string };
  target: { commandLine: string; network: "auto" | NetworkFamily; selinux?: SelinuxWord };
  /** Machines that it has to run on. Absent: those that its kernel has drivers for. */
  platforms?: Platform[];
  layout: Layout;
  preserve: string[];
  keepOldSystem: KeepOldSystem;
  requirements: { memoryBytes?: number; diskBytes?: number };
  rauc?: RaucRelease;
  compression: { xzLevel: number; blockBytes: number };
}
