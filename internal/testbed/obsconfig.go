// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// writeOBSConfig writes what lets OBS start without a question: the older
// global.ini (up to 30.x), the newer user.ini (from 31.0), the websocket
// settings in both of their places (config.json from 30.2), and a scene
// collection.
func writeOBSConfig(tb TB, config string, o OBSOptions, port int) {
	tb.Helper()
	general := `[General]
FirstRun=true
Pre19Defaults=false
Pre21Defaults=false
Pre23Defaults=false
Pre24.1Defaults=false
Pre31Migrated=true
EnableAutoUpdates=false
ConfirmOnExit=false
LastVersion=486539266
InfoIncrement=999

[BasicWindow]
PreviewEnabled=` + fmt.Sprint(o.Preview) + `
SysTrayEnabled=false
RecordWhenStreaming=false
WarnBeforeStartingStream=false
WarnBeforeStoppingStream=false

[Basic]
Profile=Untitled
ProfileDir=Untitled
SceneCollection=Untitled
SceneCollectionFile=Untitled
`
	authenticate := o.Password != ""
	server := fmt.Sprintf(`
[OBSWebSocket]
FirstLoad=false
ServerEnabled=%t
ServerPort=%d
AlertsEnabled=false
AuthRequired=%t
ServerPassword=%s
`, !o.WebSocketOff, port, authenticate, o.Password)
	serverJSON, err := json.Marshal(map[string]any{
		"first_load": false, "server_enabled": !o.WebSocketOff, "server_port": port,
		"alerts_enabled": false, "auth_required": authenticate, "server_password": o.Password,
	})
	if err != nil {
		tb.Fatalf("%v", err)
	}
	profile := fmt.Sprintf(`[General]
Name=Untitled

[Video]
BaseCX=%[1]d
BaseCY=%[2]d
OutputCX=%[1]d
OutputCY=%[2]d
FPSType=1
FPSInt=%[3]d
%[6]s
[Output]
Mode=Simple

[SimpleOutput]
VBitrate=1000
ABitrate=128
UseAdvanced=true
Preset=ultrafast
StreamEncoder=x264
FilePath=%[4]s

[Audio]
SampleRate=%[5]d
ChannelSetup=Stereo
`, o.Width, o.Height, o.FPS, filepath.Dir(config), o.SampleRate, colourSettings(o))

	root := filepath.Join(config, "obs-studio")
	writeFile(tb, filepath.Join(root, "global.ini"), general+server)
	writeFile(tb, filepath.Join(root, "user.ini"), general)
	writeFile(tb, filepath.Join(root, "plugin_config", "obs-websocket", "config.json"), string(serverJSON))
	writeFile(tb, filepath.Join(root, "basic", "profiles", "Untitled", "basic.ini"), profile)
	writeFile(tb, filepath.Join(root, "basic", "scenes", "Untitled.json"), collectionWith(tb, o.Scripts))
}

// colourSettings are lines of the profile's part about video.
func colourSettings(o OBSOptions) (lines string) {
	if o.ColourFormat != "" {
		lines += "ColorFormat=" + o.ColourFormat + "\n"
	}
	if o.ColourSpace != "" {
		lines += "ColorSpace=" + o.ColourSpace + "\n"
	}
	return lines
}

// freshCollection is what OBS makes at a first start: up to 31 also when
// FirstRun tells it that there was one, from 32 on without the audio inputs
// then.
const freshCollection = `{"name": "Untitled", "version": 2,
"current_scene": "Scene", "current_program_scene": "Scene", "scene_order": [{"name": "Scene"}],
"DesktopAudioDevice1": {"id": "pulse_output_capture", "versioned_id": "pulse_output_capture", "name": "Desktop Audio",
	"mixers": 255, "settings": {"device_id": "default"}},
"AuxAudioDevice1": {"id": "pulse_input_capture", "versioned_id": "pulse_input_capture", "name": "Mic/Aux",
	"mixers": 255, "settings": {"device_id": "default"}},
"sources": [{"id": "scene", "versioned_id": "scene", "name": "Scene",
	"settings": {"id_counter": 0, "custom_size": false, "items": []}}]}
`

// collectionWith is freshCollection with scripts.
func collectionWith(tb TB, scripts []string) string {
	tb.Helper()
	if len(scripts) == 0 {
		return freshCollection
	}
	var collection map[string]any
	if err := json.Unmarshal([]byte(freshCollection), &collection); err != nil {
		tb.Fatalf("%v", err)
	}
	entries := make([]D, 0, len(scripts))
	for _, path := range scripts {
		entries = append(entries, D{"path": path, "settings": D{}})
	}
	collection["modules"] = D{"scripts-tool": entries}
	text, err := json.Marshal(collection)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	return string(text)
}

// forgetCrash removes the marks by which OBS 30 and later know that they were
// killed, and on which they would ask a question at the next start.
func forgetCrash(config string) error {
	root := filepath.Join(config, "obs-studio")
	if err := os.RemoveAll(filepath.Join(root, ".sentinel")); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(root, "safe_mode"))
}
