import type { Drive, VirtualMachine } from "../../../builder/vm/description.ts";
import { GiB } from "../../../format/sizes.ts";
import { oldDiskSerial } from "../systems/old-disk.ts";

/** The hardware of the tiny gateway: BIOS, its disk first, one network card. */
export function tinyMachine(
  disk: Pick<Drive, "file"> & Partial<Pick<Drive, "filter" | "disposable">>,
  others: readonly Drive[] = [],
): VirtualMachine {
  return {
    name: "power",
    machine: "q35",
    memoryBytes: GiB,
    cpus: 1,
    processor: "plain",
    drives: [{ format: "raw", readOnly: false, serial: oldDiskSerial, disposable: true, ...disk }, ...others],
    nics: [{ macAddress: "52:54:00:70:77:01", forwards: [] }],
    display: "none",
    onReset: "restart",
  };
}
