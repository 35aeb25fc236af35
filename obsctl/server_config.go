// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// parseServerJSON reads obs-websocket's config.json. Missing keys have obs-websocket's defaults, except that the server
// counts as enabled: if it is not, connecting fails.
func parseServerJSON(data []byte) (Endpoint, error) {
	var file struct {
		Enabled  *bool  `json:"server_enabled"`
		Port     *int   `json:"server_port"`
		Auth     *bool  `json:"auth_required"`
		Password string `json:"server_password"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return Endpoint{}, err
	}
	e := Endpoint{
		Port:         DefaultPort,
		Password:     Secret(file.Password),
		AuthRequired: file.Auth == nil || *file.Auth,
		Enabled:      file.Enabled == nil || *file.Enabled,
	}
	if file.Port != nil {
		e.Port = *file.Port
	}
	return e, checkPort(e.Port)
}

// parseServerINI reads the section [OBSWebSocket] of global.ini, in the format that libobs writes (util/config-file.c).
// obs-websocket 5.5 and later leave the section empty; that is ErrNoConfig.
func parseServerINI(data []byte) (Endpoint, error) {
	e := Endpoint{Port: DefaultPort, AuthRequired: true, Enabled: true}
	section, found := "", false
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		line = strings.TrimLeft(strings.TrimRight(line, "\r\n"), " \t")
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(strings.TrimSpace(line), "[]")
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || section != "OBSWebSocket" {
			continue
		}
		found = true
		switch strings.TrimSpace(name) {
		case "ServerEnabled":
			e.Enabled = iniBool(value)
		case "AuthRequired":
			e.AuthRequired = iniBool(value)
		case "ServerPassword":
			e.Password = Secret(iniUnescape.Replace(value)) // with its blanks, as libobs takes it
		case "ServerPort":
			port, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				return Endpoint{}, fmt.Errorf("ServerPort=%s is not a number", strings.TrimSpace(value))
			}
			e.Port = port
		}
	}
	if !found {
		return Endpoint{}, ErrNoConfig
	}
	return e, checkPort(e.Port)
}

var iniUnescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")

// iniBool is libobs's config_get_bool: "true", or a number that is not 0.
func iniBool(value string) bool {
	value = strings.TrimSpace(value)
	number, err := strconv.ParseUint(value, 10, 64)
	return strings.EqualFold(value, "true") || err == nil && number != 0
}

func checkPort(port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("port %d is not between 1 and 65535", port)
	}
	return nil
}
