/** Where an upgrade mounts the other slot: in a folder that only root can enter. */
export const installFolder = "/run/dualroot/install/slot";
