import { volumeDevice } from "../../format/layout.ts";
import { stashVolume } from "../../agent/plan/check-layout.ts";
import type { KeepOldSystem, Manifest } from "../../format/manifest.ts";
import type { LayoutItem } from "./report.ts";

const partitionTypes = {
  biosBoot: "21686148-6449-6e6f-744e-656564454649",
  lvm: "e6d6d379-f507-44c2-a23c-238f2a3df928",
};

/** What examine.sh saw against what the manifest promises. */
export function judgeLayout(
  seen: ReadonlyMap<string, string>,
  manifest: Pick<Manifest, "layout" | "version" | "compatible" | "keepOldSystem">,
): LayoutItem[] {
  const { layout } = manifest;
  const get = (item: string): string => seen.get(item) ?? "";
  const volumes = new Map(
    get("volumes")
      .split(" ")
      .map((text) => splitVolume(text)),
  );
  const mounts = new Set(get("mounts").split(" "));
  const [biosBoot, boot, physical, ...more] = get("partitions")
    .split(" ")
    .map((text) => text.split(":"));
  const slotA = layout.volumes.find((volume) => volume.slot === "A");
  return [
    item("partition table", get("table"), get("table") === "gpt"),
    item(
      "partition 1",
      biosBoot?.join(" ") ?? "",
      biosBoot?.[2]?.toLowerCase() === partitionTypes.biosBoot &&
        Number(biosBoot[1]) === layout.biosBootBytes,
    ),
    item("partition 2", boot?.join(" ") ?? "", boot?.[3] === "ext4" && Number(boot[1]) === layout.bootBytes),
    item(
      "partition 3",
      physical?.join(" ") ?? "",
      physical?.[2]?.toLowerCase() === partitionTypes.lvm &&
        physical[3] === "LVM2_member" &&
        more.length === 0,
    ),
    ...layout.volumes.map((volume) => {
      const found = volumes.get(`${layout.volumeGroup}:${volume.name}`) ?? 0;
      return item(`volume ${volume.name}`, `${found} bytes`, found >= volume.sizeBytes);
    }),
    ...layout.volumes
      .filter((volume) => volume.slot !== "B")
      .map((volume) => {
        const wanted = `${volumeDevice(layout, volume)}:${volume.mountPoint}:${volume.filesystem}`;
        return item(`mount of ${volume.mountPoint}`, wanted, mounts.has(wanted));
      }),
    item(
      "running slot",
      get("command-line"),
      slotA !== undefined && words(get("command-line")).includes("rauc.slot=A"),
    ),
    item(
      "boot state",
      get("grubenv"),
      ["A_OK=1", "A_TRY=0"].every((word) => words(get("grubenv")).includes(word)),
    ),
    judgeOldSystem(get("rollback"), words(get("grubenv")).includes("B_OK=1"), manifest.keepOldSystem),
    item(
      "stash released",
      get("volumes"),
      get("volumes") !== "" && !volumes.has(`${layout.volumeGroup}:${stashVolume}`),
    ),
    item(
      "free space handed out",
      get("free-extents"),
      get("free-extents") === "0" || !layout.volumes.some(({ growWeight, slot }) => growWeight > 0 && !slot),
    ),
    item("health gate", get("health"), /"state":"good"/.test(get("health"))),
    item("failed units", get("failed-units"), get("failed-units") === ""),
    item("system state", get("state"), get("state") === "running"),
    item(
      "release",
      get("system"),
      get("system").includes(JSON.stringify(manifest.version)) &&
        get("system").includes(JSON.stringify(manifest.compatible)),
    ),
  ];
}

/** GRUB and the way back agree about slot B, and it is what the release wants of it. */
function judgeOldSystem(rollback: string, isBootable: boolean, wanted: KeepOldSystem): LayoutItem {
  const leadsBack = rollback.startsWith('{"ok":true');
  const isWanted = { auto: true, require: leadsBack, never: !leadsBack }[wanted];
  return item("old system in slot B", rollback, rollback !== "" && leadsBack === isBootable && isWanted);
}

function item(name: string, value: string, holds: boolean): LayoutItem {
  return { item: name, value, holds };
}

function words(text: string): string[] {
  return text.split(" ");
}

/** `VA:root_a:3221225472` */
function splitVolume(text: string): [string, number] {
  const end = text.lastIndexOf(":");
  return [text.slice(0, end), Number(text.slice(end + 1))];
}
