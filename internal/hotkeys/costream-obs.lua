-- SPDX-License-Identifier: Apache-2.0
--
-- Hotkeys for the peer of costream-obs, in OBS's Settings -> Hotkeys; in OBS 30.1 and later private scenes for what the
-- peer is sent; in 31.1 and later a guard against a fault of OBS when the scene collection is changed. Written by
-- `costream-obs setup hotkeys` and `costream-obs setup clean-feed`, which overwrite it;
-- the same commands with --undo take it away.
--
-- It works inside OBS, whether costream-obs runs or not, and does what a person does with the mouse: costream-obs takes
-- a peer that was hidden here for hidden by the user.

local obs = obslua

-- The video device that the peer's source reads, from the settings.
local peer_device = ""

-- mark is the setting that costream-obs leaves in the peer's source, whatever the user calls it.
local mark = "costream_obs"

-- The sound device of the source that brings the peer's voice into the stream, where there is one.
local voice_device = "costream_frompeer.monitor"

local actions = {
    { key = "show", text = "Co-stream: show peer" },
    { key = "hide", text = "Co-stream: hide peer" },
    { key = "toggle", text = "Co-stream: toggle peer" },
    { key = "mute", text = "Co-stream: mute peer" },
}

-- setting returns a text among the settings of a source.
local function setting(source, key)
    local settings = obs.obs_source_get_settings(source)
    local value = obs.obs_data_get_string(settings, key)
    obs.obs_data_release(settings)
    return value
end

-- is_peer tells whether a source shows the peer, by its mark or its device. Its name tells nothing: it is the user's.
local function is_peer(source)
    local kind = obs.obs_source_get_unversioned_id(source)
    if kind ~= "v4l2_input" and kind ~= "ffmpeg_source" then
        return false
    end
    return setting(source, mark) ~= "" or peer_device ~= "" and setting(source, "device_id") == peer_device
end

-- collect hands each item of a scene, and of the groups in it, to found.
local function collect(scene, found)
    local items = obs.obs_scene_enum_items(scene)
    for _, item in ipairs(items or {}) do
        if obs.obs_sceneitem_is_group(item) then
            collect(obs.obs_sceneitem_group_get_scene(item), found)
        else
            found(item)
        end
    end
    obs.sceneitem_list_release(items)
end

-- each_item hands every item in OBS to found: those of all scenes, and of what viewers see now. In studio mode that is
-- a copy of a scene, which is in no list.
local function each_item(found)
    local scenes = obs.obs_frontend_get_scenes()
    for _, source in ipairs(scenes or {}) do
        collect(obs.obs_scene_from_source(source), found)
    end
    obs.source_list_release(scenes)

    local programme = obs.obs_get_output_source(0)
    if programme == nil then
        return
    end
    if obs.obs_source_get_type(programme) == obs.OBS_SOURCE_TYPE_TRANSITION then
        for _, side in ipairs({ obs.OBS_TRANSITION_SOURCE_A, obs.OBS_TRANSITION_SOURCE_B }) do
            local shown = obs.obs_transition_get_source(programme, side)
            if shown ~= nil then
                local scene = obs.obs_scene_from_source(shown)
                if scene ~= nil then
                    collect(scene, found)
                end
                obs.obs_source_release(shown)
            end
        end
    end
    obs.obs_source_release(programme)
end

-- each_peer hands every item of the peer to found.
local function each_peer(found)
    each_item(function(item)
        if is_peer(obs.obs_sceneitem_get_source(item)) then
            found(item)
        end
    end)
end

local function set_visible(visible)
    each_peer(function(item)
        if obs.obs_sceneitem_visible(item) ~= visible then
            obs.obs_sceneitem_set_visible(item, visible)
        end
    end)
end

-- toggle hides the peer everywhere if it is shown anywhere, like `costream-obs peer toggle`.
local function toggle()
    local shown = false
    each_peer(function(item)
        shown = shown or obs.obs_sceneitem_visible(item)
    end)
    set_visible(not shown)
end

-- mute mutes the source of the peer's voice. Where the voice comes through Desktop Audio there is none: then the mute of
-- the peer's picture tells a running costream-obs to be silent.
local function mute()
    local voice, picture = nil, nil
    local sources = obs.obs_enum_sources()
    for _, source in ipairs(sources or {}) do
        if setting(source, "device_id") == voice_device then
            voice = source
        elseif is_peer(source) then
            picture = source
        end
    end
    local target = voice or picture
    if target ~= nil then
        obs.obs_source_set_muted(target, not obs.obs_source_muted(target))
    end
    obs.source_list_release(sources)
end

actions[1].act = function() set_visible(true) end
actions[2].act = function() set_visible(false) end
actions[3].act = toggle
actions[4].act = mute

-- The private scenes are in no list of OBS and in no file. A running costream-obs knows them by these UUIDs, fills them by
-- obs-websocket with what the peer is sent, and empties them. They must not get another name: OBS 32.2.2 crashes.
local private_uuid, private_count = "c057bea0-0b5c-4e00-9d1f-%012x", 32
local private_scenes = {}

-- takes_uuids tells whether OBS's websocket finds scenes by UUID: 30.1 and later.
local function takes_uuids()
    return obs.obs_get_version() >= 0x1E010000
end

local function make_private_scenes()
    for number = 1, private_count do
        local described = obs.obs_data_create()
        obs.obs_data_set_string(described, "id", "scene")
        obs.obs_data_set_string(described, "name", "costream-obs " .. number)
        obs.obs_data_set_string(described, "uuid", string.format(private_uuid, number))
        table.insert(private_scenes, obs.obs_load_private_source(described))
        obs.obs_data_release(described)
    end
end

-- drop_private_scenes empties them first: one that another shows still has its UUID when OBS loads this script again.
local function drop_private_scenes()
    for _, source in ipairs(private_scenes) do
        local items = obs.obs_scene_enum_items(obs.obs_scene_from_source(source))
        for _, item in ipairs(items or {}) do
            obs.obs_sceneitem_remove(item)
        end
        obs.sceneitem_list_release(items)
    end
    for _, source in ipairs(private_scenes) do
        obs.obs_source_release(source)
    end
    private_scenes = {}
end

-- keep_scenes holds the scenes while OBS removes them to change the scene collection. OBS 31.1 and later read on in a
-- scene that they have just freed (obs_canvas_enum_scenes in libobs/obs.c). They then miss the scenes after it, say "Not
-- all sources were cleared", and end themselves.
local function keep_scenes()
    local scenes = nil
    local function let_go()
        if scenes ~= nil then
            obs.source_list_release(scenes)
            scenes = nil
        end
    end
    obs.obs_frontend_add_event_callback(function(event)
        if event == obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CHANGING then
            let_go()
            scenes = obs.obs_frontend_get_scenes()
        elseif event == obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CLEANUP
            or event == obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CHANGED then
            let_go()
        end
    end)
end

function script_description()
    return "Hotkeys for the peer of costream-obs: see Settings, Hotkeys. In OBS 30.1 and later also scenes outside your "
        .. "list of scenes for what the peer is sent. In 31.1 and later it also keeps OBS from ending itself when you "
        .. "change the scene collection."
end

function script_update(settings)
    peer_device = obs.obs_data_get_string(settings, "device")
end

function script_load(settings)
    for _, action in ipairs(actions) do
        action.id = obs.obs_hotkey_register_frontend("costream_obs." .. action.key, action.text, function(pressed)
            if pressed then
                action.act()
            end
        end)
        local keys = obs.obs_data_get_array(settings, action.key)
        obs.obs_hotkey_load(action.id, keys)
        obs.obs_data_array_release(keys)
    end
    if obs.obs_frontend_add_canvas ~= nil then
        keep_scenes()
    end
    if takes_uuids() then
        make_private_scenes()
    end
end

function script_unload()
    drop_private_scenes()
end

function script_save(settings)
    for _, action in ipairs(actions) do
        local keys = obs.obs_hotkey_save(action.id)
        obs.obs_data_set_array(settings, action.key, keys)
        obs.obs_data_array_release(keys)
    end
end
