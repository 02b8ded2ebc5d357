Rails.application.configure { config.assets.compile = false }
