// SPDX-License-Identifier: Apache-2.0

package main

// helpCommand is only listed: Run turns `help COMMAND` into `COMMAND --help`.
func helpCommand() *command {
	return &command{name: "help", args: "[COMMAND]", short: "explain a command"}
}
