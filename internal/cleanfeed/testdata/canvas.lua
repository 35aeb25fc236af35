-- SPDX-License-Identifier: Apache-2.0
--
-- Hotkeys for the tests that take our canvas out of OBS and put one in, as OBS does when the user reloads our script.

local obs = obslua

local acts = {
    remove = function()
        local canvas = obs.obs_get_canvas_by_name("costream-obs")
        obs.obs_frontend_remove_canvas(canvas)
        obs.obs_canvas_release(canvas)
    end,
    add = function()
        local video = obs.obs_video_info()
        obs.obs_get_video_info(video)
        obs.obs_canvas_release(obs.obs_frontend_add_canvas("costream-obs", video, 24))
    end,
}

function script_load()
    for name, act in pairs(acts) do
        obs.obs_hotkey_register_frontend("costream_test." .. name, name, function(pressed)
            if pressed then
                act()
            end
        end)
    end
end
