// SPDX-License-Identifier: Apache-2.0

package main

// root is the program itself: the command that all others are found under.
func root() *command {
	return &command{
		name:  "costream-obs",
		short: "two people stream together, each with OBS",
		long: "Two people stream together, each with OBS on a machine of their own: each sees and hears the other live, and shows the other on their own channel.\n\n" +
			"  costream-obs pair new     here, once, and at your friend's: pair join\n" +
			"  costream-obs run          on both machines; then stream from OBS",
		subs: []*command{
			runCommand(),
			statusCommand(),
			panelCommand(),
			pairCommand(),
			setupCommand(),
			doctorCommand(),
			peerCommand(),
			sendCommand(),
			receiveCommand(),
			graphCommand(),
			versionCommand(),
			helpCommand(),
		},
	}
}
