package skulk.api;

import skulk.api.cluster.NodeInfo;

/** Reads what the machine tells about itself. */
public non-sealed interface HardwareProbe extends Extension {
    /** A fresh reading of the parts this probe knows; called about once a second from one thread, must return within that time. */
    NodeInfo read();
}
