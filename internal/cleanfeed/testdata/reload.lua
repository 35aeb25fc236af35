
-- SPDX-License-Identifier: Apache-2.0
--
-- The test appends this to our script: hotkeys that do to the private scenes what OBS does when the user reloads the
-- script, takes it out and puts it in.

local acts = {
    remove = drop_private_scenes,
    add = make_private_scenes,
    reload = function()
        drop_private_scenes()
        make_private_scenes()
    end,
}

local load_script = script_load

function script_load(settings)
    load_script(settings)
    for name, act in pairs(acts) do
        obs.obs_hotkey_register_frontend("costream_test." .. name, name, function(pressed)
            if pressed then
                act()
            end
        end)
    end
end
