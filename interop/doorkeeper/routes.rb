# frozen_string_literal: true

Rails.application.routes.draw do
  devise_for :users, skip: %i[passwords registrations]
  use_doorkeeper { skip_controllers :applications, :authorized_applications }
  use_doorkeeper_openid_connect
end
