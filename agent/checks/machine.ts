import { fail, type Check } from "./check.ts";

export const rootUser: Check = {
  name: "root-user",
  title: "Root user",
  run: ({ stage, facts }) => {
    if (stage === "ramdisk") return undefined;
    if (facts.isRoot) return "running as root";
    return [
      fail({
        code: "not-root",
        message: "The conversion needs root, this is an ordinary user.",
        hint: "Run it with sudo, or log in as root.",
      }),
    ];
  },
};

export const architecture: Check = {
  name: "architecture",
  title: "Processor",
  run: ({ facts, manifest }) => {
    const needed = manifest.requirements.architecture;
    if (facts.architecture === needed) return needed;
    return [
      fail({
        code: "architecture-unsupported",
        message: `The processor is ${facts.architecture}, the package is for ${needed}.`,
        hint: "Use a package for this processor.",
      }),
    ];
  },
};

export const firmware: Check = {
  name: "firmware",
  title: "Firmware",
  run: ({ facts, manifest }) => {
    const needed = manifest.requirements.firmware;
    if (facts.firmware === needed) return "BIOS boot";
    return [
      fail({
        code: "firmware-unsupported",
        message: `The gateway booted by ${facts.firmware.toUpperCase()}, the package is for ${needed.toUpperCase()}.`,
        hint: "Switch the firmware to legacy boot if the disk boots that way; else this gateway cannot be converted yet.",
      }),
    ];
  },
};

export const notConverted: Check = {
  name: "not-converted",
  title: "Not yet converted",
  run: ({ stage, facts }) => {
    if (stage === "ramdisk") return undefined;
    if (!facts.converted) return facts.osName;
    return [
      fail({
        code: "already-converted",
        message: `This gateway is a dual system already (${facts.converted.compatible}, slot ${facts.converted.slot} is running).`,
        hint: "It needs no conversion: sh upgrade.sh install puts the release into its other slot.",
      }),
    ];
  },
};
