/** Where an upgrade mounts the other slot. Below a folder only root can enter. */
export const installFolder = "/run/dualroot/install";
