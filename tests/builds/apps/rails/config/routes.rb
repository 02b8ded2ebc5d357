Rails.application.routes.draw { root "pages#index" }
