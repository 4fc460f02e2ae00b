import type { Problem } from "../../format/errors.ts";
import { platforms, type Platform, type PlatformDrivers } from "../../format/platforms.ts";
import type { KernelDrivers } from "../rootfs/kernel-drivers.ts";
import { moduleName } from "./module-name.ts";
import { platformDrivers, type DriverWay } from "./platform-drivers.ts";

/** What is asked of a target's kernel and initramfs. */
export interface DriverFacts {
  kernel: { version: string };
  drivers: KernelDrivers;
  /** Names of the files in the initramfs. */
  initramfs: readonly string[];
}

export interface PlatformVerdicts {
  platforms: PlatformDrivers[];
  /** Modules that the initramfs has to have for the wanted platforms' disks; sorted. */
  diskModules: string[];
  problems: Problem[];
}

/**
 * Has the target what each platform's root disk and network card need? `named`: by the release; undefined wants all that its
 * kernel can drive, and refuses nothing.
 */
export function judgePlatforms(
  { kernel, drivers, initramfs }: DriverFacts,
  named: readonly Platform[] | undefined,
): PlatformVerdicts {
  const inKernel = new Set([...drivers.all, ...drivers.builtIn]);
  const inInitramfs = new Set([...initramfs.flatMap(moduleName), ...drivers.builtIn]);
  const isPossible = (way: DriverWay): boolean => way.modules.every((module) => inKernel.has(module));
  const verdicts = platforms.map((platform): PlatformDrivers => {
    const { disk: disks, network: cards } = platformDrivers[platform];
    const possible = disks.filter(isPossible);
    const notInInitramfs = modulesOf(possible).filter((module) => !inInitramfs.has(module));
    const isWanted = named?.includes(platform) ?? true;
    return {
      platform,
      promised: named?.includes(platform) ?? false,
      disk: !suffices(disks, isPossible)
        ? "no-driver"
        : notInInitramfs.length === 0
          ? "ready"
          : isWanted
            ? "after-rebuild"
            : "not-in-initramfs",
      network: suffices(cards, isPossible) ? "ready" : "no-driver",
      notInInitramfs,
      absent: modulesOf([...disks, ...cards]).filter((module) => !inKernel.has(module)),
    };
  });
  const wanted = platforms.filter((platform) => named?.includes(platform) ?? true);
  const wantedDisks = wanted.flatMap((platform) => platformDrivers[platform].disk).filter(isPossible);
  return {
    platforms: verdicts,
    diskModules: modulesOf(wantedDisks).filter((module) => !drivers.builtIn.includes(module)),
    problems: verdicts.filter(({ promised }) => promised).flatMap((verdict) => problemsOf(verdict, kernel)),
  };
}

function problemsOf(
  { platform, absent, ...verdict }: PlatformDrivers,
  kernel: { version: string },
): Problem[] {
  return (["disk", "network"] as const)
    .filter((use) => verdict[use] === "no-driver")
    .map((use) => {
      const ways = platformDrivers[platform][use];
      const usual = ways.filter((way) => way.isUsual);
      const lacking = (usual.length > 0 ? usual : ways).filter((way) =>
        way.modules.some((module) => absent.includes(module)),
      );
      const names = lacking.map(
        (way) => `${way.modules.filter((module) => absent.includes(module)).join(", ")} (${way.name})`,
      );
      return {
        code: "platform-driver-missing",
        message: `the release is for ${platform}, but the kernel ${kernel.version} of the root filesystem has no driver for its ${use === "disk" ? "root disk" : "network card"}: ${names.join(usual.length > 0 ? "; " : " or ")}`,
        hint: `Install a kernel package that has it in the root filesystem (Debian: linux-image-amd64; Red Hat: kernel-modules), or take ${platform} out of platforms.`,
      };
    });
}

function suffices(ways: readonly DriverWay[], isPossible: (way: DriverWay) => boolean): boolean {
  const usual = ways.filter((way) => way.isUsual);
  return usual.length > 0 ? usual.every(isPossible) : ways.some(isPossible);
}

function modulesOf(ways: readonly DriverWay[]): string[] {
  return [...new Set(ways.flatMap((way) => way.modules))].sort();
}
