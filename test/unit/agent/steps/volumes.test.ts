import { describe, expect, test } from "vitest";
import { createVolumeGroup } from "../../../../agent/steps/create-volume-group.ts";
import { compareWithLvm, createVolumes } from "../../../../agent/steps/create-volumes.ts";
import { recordingRun } from "../recording-run.ts";
import { stepContext } from "./step-context.ts";

const volumes = [
  { name: "root_a", extents: [{ first: 0, count: 256 }] },
  {
    name: "image",
    extents: [
      { first: 300, count: 10 },
      { first: 256, count: 40 },
    ],
  },
];

describe("volumes", () => {
  const good =
    "  root_a|0|0|256|linear\n  image|0|300|10|linear\n  image|10|256|40|linear\n  |0|310|90|free\n";
  const step = {
    kind: "create-volumes" as const,
    title: "",
    group: "VA",
    device: "/dev/vda3",
    volumes,
    kept: [],
  };

  test("each range is a command of its own, in the plan's order", async () => {
    const { run, commands } = recordingRun((line) => (line.startsWith("lvm pvs") ? good : ""));
    await createVolumes({ ...step, volumes }, stepContext({ run }));
    const wipe = "--wipesignatures y --zero y";
    expect(commands.slice(0, 3)).toEqual([
      `lvm lvcreate --yes --type linear ${wipe} --extents 256 --name root_a VA /dev/vda3:0-255`,
      `lvm lvcreate --yes --type linear ${wipe} --extents 10 --name image VA /dev/vda3:300-309`,
      "lvm lvextend --extents +40 VA/image /dev/vda3:256-295",
    ]);
  });

  test("what the stash touches becomes a volume that nothing writes to", async () => {
    const kept = [
      { first: 400, count: 3 },
      { first: 500, count: 1 },
    ];
    const withStash = `${good}  stash|0|500|1|linear\n  stash|1|400|3|linear\n`;
    const { run, commands } = recordingRun((line) => (line.startsWith("lvm pvs") ? withStash : ""));
    await createVolumes({ ...step, kept }, stepContext({ run }));
    const untouched = "--activate n --zero n --wipesignatures n --permission r";
    expect(commands[3]).toBe(
      `lvm lvcreate --yes --type linear ${untouched} --extents 4 --name stash VA /dev/vda3:400-402:500-500`,
    );
    const elsewhere = recordingRun((line) =>
      line.startsWith("lvm pvs") ? withStash.replace("400|3", "410|3") : "",
    );
    await expect(createVolumes({ ...step, kept }, stepContext({ run: elsewhere.run }))).rejects.toThrow(
      /stash planned on 400\+3,500\+1, is on 410\+3,500\+1/,
    );
  });

  test.each([
    [
      "elsewhere",
      good.replace("|0|256|linear", "|1|256|linear"),
      /root_a planned on 0\+256, is linear on 1\+256/,
    ],
    ["striped", good.replace("256|linear", "256|striped"), /root_a .* is striped/],
    ["not there", good.replace("root_a", "other"), /root_a .* is absent/],
    [
      "in another order",
      "root_a|0|0|256|linear\nimage|0|256|40|linear\nimage|40|300|10|linear\n",
      /image planned on 300\+10,256\+40/,
    ],
  ])("a volume that LVM made %s is noticed", async (_, answer, message) => {
    const { run } = recordingRun((line) => (line.startsWith("lvm pvs") ? answer : ""));
    await expect(createVolumes({ ...step, volumes }, stepContext({ run }))).rejects.toThrow(message);
  });

  test("neighbouring ranges of one volume are one segment to LVM", () => {
    const planned = [
      {
        name: "a",
        extents: [
          { first: 0, count: 5 },
          { first: 5, count: 5 },
        ],
      },
    ];
    expect(compareWithLvm(planned, [["a", "0", "0", "10", "linear"]])).toEqual([]);
  });
});

describe("the volume group", () => {
  const uuid = "abcdef-0123-4567-89ab-cdef-0123-456789";
  const step = {
    kind: "create-volume-group",
    title: "",
    device: "/dev/vda3",
    physicalVolumeUuid: uuid,
    name: "VA",
    extentBytes: 4194304,
  } as const;

  test("is made with the planned UUID and alignment, and read back", async () => {
    const { run, commands } = recordingRun((line) =>
      line.startsWith("lvm pvs") ? ` ${uuid}|VA|4194304|1048576\n` : "",
    );
    await createVolumeGroup(step, stepContext({ run }));
    expect(commands[0]).toBe(
      `lvm pvcreate --yes -ff --uuid ${uuid} --norestorefile --dataalignment 1048576b /dev/vda3`,
    );
    expect(commands[1]).toBe("lvm vgcreate --yes --physicalextentsize 4194304b VA /dev/vda3");
  });

  test("another start of extents than the plan reckons with is an error", async () => {
    const { run } = recordingRun((line) =>
      line.startsWith("lvm pvs") ? ` ${uuid}|VA|4194304|2097152\n` : "",
    );
    await expect(createVolumeGroup(step, stepContext({ run }))).rejects.toThrow(
      /2097152 instead of .*1048576/,
    );
  });
});
